import dataclasses

import pytest
from pydantic import ValidationError

from busight.recipes.schema import Recipe


def test_every_section_has_defaults_and_refuses_unknown_keys() -> None:
    recipe = Recipe(name="plain")
    for section in set(Recipe.model_fields) - {"name", "description"}:
        with pytest.raises(ValidationError, match=f"{section}.surprise"):
            Recipe.model_validate({"name": "plain", section: {"surprise": 1}})
        assert Recipe.model_validate({"name": "plain", section: {}}) == recipe


def test_nothing_can_be_changed_afterwards() -> None:
    recipe = Recipe(name="plain")
    with pytest.raises(ValidationError, match="frozen"):
        recipe.name = "other"
    with pytest.raises(ValidationError, match="frozen"):
        recipe.enhance.chain = "median"
    with pytest.raises(dataclasses.FrozenInstanceError):
        recipe.train.epochs = 5
