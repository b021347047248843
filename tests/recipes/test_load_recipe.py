import re
from pathlib import Path

import pytest

from busight.errors import ConfigError
from busight.recipes.load import load_recipe, recipe_names, recipe_toml


def test_the_shipped_recipes() -> None:
    assert set(recipe_names()) == {
        "breastmnist", "default", "demo", "global-local", "joint", "paper", "segment", "small-cnn",
    }  # fmt: skip


@pytest.mark.parametrize("name", recipe_names())
def test_every_shipped_recipe_survives_its_own_resolved_text(name: str, tmp_path: Path) -> None:
    recipe = load_recipe(name)
    assert (recipe.name, bool(recipe.description)) == (name, True)
    (tmp_path / "resolved.toml").write_text(recipe_toml(recipe), encoding="utf-8")
    again = load_recipe(str(tmp_path / "resolved.toml"))
    assert again == recipe
    assert recipe_toml(again) == recipe_toml(recipe)


def test_resolved_overrides_survive_too(tmp_path: Path) -> None:
    overrides = [
        "train.learning_rate=3e-05",
        "train.devices=auto",
        "classify.options={pad_type = 'same', drop_rate = 0.5, se = true, depth = 2}",
        "enhance.chain=median(5)",
        "data.spec=busi:some where/ü",
    ]
    recipe = load_recipe("default", overrides)
    (tmp_path / "r.toml").write_text(recipe_toml(recipe), encoding="utf-8")
    assert load_recipe(str(tmp_path / "r.toml")) == recipe
    kinds = {name: type(value) for name, value in recipe.classify.options.items()}
    assert kinds == {"pad_type": str, "drop_rate": float, "se": bool, "depth": int}


def test_the_paper_recipe_says_what_the_paper_says() -> None:
    recipe = load_recipe("paper")
    assert (recipe.split.kind, recipe.split.val, recipe.split.test) == ("by_image", 0.15, 0.15)
    assert (recipe.classify.backbone, recipe.classify.weights) == ("torchvision/resnet101", "imagenet")
    assert (recipe.classify.size, recipe.classify.task) == (224, "multiclass")
    assert (recipe.train.epochs, recipe.train.optimizer) == (3, "adam")
    assert (recipe.train.schedule, recipe.train.step_size) == ("step", 5)


def test_overrides_by_hand() -> None:
    recipe = load_recipe(
        "paper",
        ["train.epochs=5", "classify.weights = none", 'name="mine"', "segment.roi.margin=0.5", "train.epochs=7"],
    )
    assert (recipe.train.epochs, recipe.classify.weights, recipe.name) == (7, "none", "mine")
    assert recipe.segment.roi.margin == 0.5
    assert recipe.train.step_size == load_recipe("paper").train.step_size


def test_a_file_without_name_is_named_after_itself(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("[train]\nepochs = 2\n")
    recipe = load_recipe(str(tmp_path / "mine.toml"))
    assert (recipe.name, recipe.train.epochs) == ("mine", 2)


def refused(rule: str, *overrides: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(rule)) as caught:
        load_recipe("default", overrides)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("override", "rule"),
    [
        ("trian.epochs=5", "unknown key trian; did you mean train?"),
        ("epochs=5", "unknown key epochs; known: assess, classify, data"),
        ("train.epoch=5", "unknown key train.epoch; did you mean epochs?"),
        ("data.specs=x", "unknown key data.specs; did you mean spec?"),
        ("split.sed=1", "unknown key split.sed; did you mean seed?"),
        ("enhance.chian=x", "unknown key enhance.chian; did you mean chain?"),
        ("segment.roi.margn=1", "unknown key segment.roi.margn; did you mean margin?"),
        ("segment.postprocess.component=1", "unknown key segment.postprocess.component; did you mean components?"),
        ("classify.back_bone=x", "unknown key classify.back_bone; did you mean backbone?"),
        ("train.augment.flop=true", "unknown key train.augment.flop; did you mean flip?"),
        ("assess.resample=1", "unknown key assess.resample; did you mean resamples?"),
        ("train.=5", "unknown key train.; known: accelerator, accumulate"),
    ],
)
def test_a_wrong_key_is_answered_with_the_nearest_right_one(override: str, rule: str) -> None:
    refused(rule, override)


@pytest.mark.parametrize(
    ("override", "rule"),
    [
        ("train.optimizer=adm", "train.optimizer = 'adm': input should be 'adam', 'adamw' or 'sgd'"),
        (
            "split.kind=group",
            "split.kind = 'group': input should be 'grouped', 'by_image', 'kfold_by_group', ",
        ),
        ("classify.task=findings", "classify.task = 'findings': input should be 'multiclass', 'binary'"),
        (
            "classify.strategy=two_stag",
            "classify.strategy 'two_stag': did you mean two_stage? known: whole, two_stage, ",
        ),
        ("train.epochs=1.5", "train.epochs = 1.5: input should be a valid integer"),
        ("train.epochs=0", "train.epochs = 0: input should be greater than or equal to 1"),
        ("train.batch=0", "train.batch = 0"),
        ("train.learning_rate=nan", "train.learning_rate = nan: input should be a finite number"),
        ("train.learning_rate=-1", "train.learning_rate = -1: input should be greater than 0"),
        ("train.seed=-1", "train.seed = -1"),
        ("train.devices=x", "train.devices = 'x': input should be"),
        ("train.devices=0", "train.devices = 0: input should be greater than or equal to 1"),
        ("train.augment.scale=1.5", "train.augment.scale = 1.5: input should be less than 1"),
        ("classify.size=0", "classify.size = 0"),
        ("classify.dropout=1.0", "classify.dropout = 1.0: input should be less than 1"),
        ("classify.options={a = [1]}", "classify.options.a = [1]"),
        ("segment.size=100", "segment.size = 100: input should be a multiple of 32"),
        ("assess.level=2", "assess.level = 2"),
        ("assess.resamples=0", "assess.resamples = 0"),
        ("name=5", "name = 5: input should be a valid string"),
        ("train=5", "train = 5: input should be a dictionary"),
        ("split.val=2", "split.val 2.0 and split.test 0.15: each above 0, together below 1"),
        ("split.fold=5", "split.fold 5 of split.folds 5"),
        ("enhance.chain=median(4)", "median: size 4 must be odd, 3–31 pixels"),
        ("enhance.chain=medin(3)", "no filter 'medin'; did you mean median?"),
        ("train.epochs", "--set 'train.epochs': write key=value, e.g. --set train.epochs=5"),
        ("=5", "--set '=5': write key=value"),
        ("train.epochs.x=5", "--set 'train.epochs.x=5': epochs is a value, not a section"),
    ],
)
def test_a_wrong_value_is_refused(override: str, rule: str) -> None:
    refused(rule, override)


@pytest.mark.parametrize(
    ("overrides", "rule"),
    [
        (
            ("classify.strategy=mask_channel", "enhance.channels=['raw', 'clahe', 'srad']"),
            "classify.strategy mask_channel fills the channels itself; leave enhance.channels away",
        ),
        (("classify.strategy=segment_only",), "segment_only has no classifier; use classify.task=segmentation"),
        (
            ("classify.strategy=whole", "classify.use_proposal=true"),
            "classify.use_proposal needs a strategy with local views: classify.strategy=global_local",
        ),
        (("enhance.channels=['raw']",), "enhance.channels: 1 of them; give none, or three chains"),
        (("enhance.channels=['raw', 'crop_region', 'raw']",), "crop_region belongs into enhance.chain"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(overrides: tuple[str, ...], rule: str) -> None:
    refused(rule, *overrides)


def test_recipes_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"recipe 'papr': did you mean paper\?; or give the path of a .toml file"):
        load_recipe("papr")
    with pytest.raises(
        ConfigError,
        match=r"known: breastmnist, default, demo, global-local, joint, paper, segment, small-cnn; or give the path",
    ):
        load_recipe("xyz")
    with pytest.raises(ConfigError, match=r"none.toml'"):
        load_recipe(str(tmp_path / "none.toml"))
    (tmp_path / "recipe.txt").write_text("description = 'x'")
    with pytest.raises(ConfigError, match=r"or give the path of a .toml file"):
        load_recipe(str(tmp_path / "recipe.txt"))


@pytest.mark.parametrize(
    "content", [b"epochs: 5", b"[train", b"a = 1\na = 2\n", b"description = '\xfc'", b"\x89PNG\r\n\x1a\n\0"]
)
def test_files_that_are_not_toml(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "r.toml").write_bytes(content)
    with pytest.raises(ConfigError, match=r"recipe .*r.toml: not TOML"):
        load_recipe(str(tmp_path / "r.toml"))


def test_a_wrong_key_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "r.toml").write_text("[train.augment]\nrotate = 5\n")
    with pytest.raises(ConfigError, match=r"r.toml: unknown key train.augment.rotate; did you mean rotate_deg\?"):
        load_recipe(str(tmp_path / "r.toml"))


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["train.crops.lesion_free=0.6", "train.crops.lesion=0.5"], "the sum of both probabilities is above 1"),
        (
            ["classify.strategy=two_stage", "train.crops.lesion=0.5"],
            "begins with the whole image: joint, global_local, whole",
        ),
        (["train.crops.lesion_free=-0.1"], "train.crops.lesion_free"),
    ],
)
def test_crops_that_cannot_be_drawn_are_one_line(overrides: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_recipe("joint", overrides)
