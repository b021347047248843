"""The mean of several trainings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from test_resume import SETTINGS, StopError, part, same_weights, small_network, train

from busight.training.average import mean_weights, member_seed
from busight.training.fit import fit
from busight.training.settings import AugmentSettings

MEMBERS = replace(SETTINGS, members=3, checkpoint="last", epochs=2)


def weights_in(path: Path) -> dict[str, torch.Tensor]:
    kept = torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
    return {key.removeprefix("network."): value for key, value in kept.items() if key.startswith("network.")}


def test_what_is_kept_is_the_mean_of_trainings_that_differ(tmp_path: Path) -> None:
    network, history = train(tmp_path / "mean", MEMBERS)
    members = [weights_in(tmp_path / "mean" / f"member-{number}" / "last.ckpt") for number in (1, 2, 3)]
    names = [name for name, _ in network.named_parameters()]
    for name in names:
        values = torch.stack([weights[name] for weights in members])
        torch.testing.assert_close(network.state_dict()[name], values.mean(dim=0))
    assert not torch.equal(members[0][names[0]], members[1][names[0]])
    # the first training is the one that a recipe without members has
    alone, of_alone = train(tmp_path / "alone", replace(MEMBERS, members=1))
    assert all(torch.equal(members[0][name], alone.state_dict()[name]) for name in names)
    assert [row.train_loss for row in history.rows] == [row.train_loss for row in of_alone.rows]


def test_an_interrupted_training_of_several_ends_with_the_same_weights(tmp_path: Path) -> None:
    whole, _ = train(tmp_path / "whole", MEMBERS)
    seen: list[str] = []

    def stop_in_the_second(line: str) -> None:
        seen.append(line)
        if line.startswith("epoch 2/") and "training 2 of 3" in seen:
            raise StopError

    with pytest.raises(StopError):
        fit(
            small_network(MEMBERS), "classifier", part(1, 22), part(2, 9), MEMBERS, tmp_path / "cut", stop_in_the_second
        )
    torch.manual_seed(999)
    resumed, _ = train(tmp_path / "cut", MEMBERS)
    assert same_weights(whole, resumed)


def test_the_statistics_are_those_of_the_training_images(tmp_path: Path) -> None:
    """Without augmentation and with all images in one batch they can be computed by hand."""
    settings = replace(MEMBERS, batch=22, augment=AugmentSettings())
    network, _ = train(tmp_path, settings)
    norms = [module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    assert norms
    images = torch.from_numpy(part(1, 22).images[range(22)]).float()[:, None] / 255
    inputs: list[torch.Tensor] = []
    norms[0].register_forward_hook(lambda module, given, found: inputs.append(given[0]))
    with torch.no_grad():
        network(images)
    torch.testing.assert_close(norms[0].running_mean, inputs[0].mean(dim=(0, 2, 3)), atol=1e-5, rtol=1e-4)
    variance = inputs[0].var(dim=(0, 2, 3), unbiased=True)
    torch.testing.assert_close(norms[0].running_var, variance, atol=1e-5, rtol=1e-4)


def test_means_and_seeds_by_hand() -> None:
    first, second = (
        {"w": torch.tensor([value, 2.0]), "n": torch.tensor(count)} for value, count in ((1.0, 5), (3.0, 9))
    )
    found = mean_weights([first, second])
    assert (found["w"].tolist(), int(found["n"])) == ([2.0, 2.0], 5)
    assert [member_seed(7, member) for member in range(2)] == [7, 1_000_010]
    assert member_seed(2**32 - 1, 1) == 1_000_002
