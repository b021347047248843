"""A run that was killed and resumed ends with exactly the weights of one that was not."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from busight.classify.network import Classifier, build_classifier
from busight.classify.settings import ClassifySettings
from busight.errors import DataError
from busight.results.history import History
from busight.training.fit import fit
from busight.training.prepared import PreparedSet, Rows
from busight.training.settings import AugmentSettings, TrainSettings

AUGMENT = AugmentSettings(flip=True, rotate_deg=10, translate=0.1, scale=0.1, brightness=0.2, noise=0.05, erase=0.3)
SETTINGS = TrainSettings(
    epochs=4, batch=4, optimizer="adamw", learning_rate=3e-3, schedule="cosine", accelerator="cpu", augment=AUGMENT
)

AVERAGED = replace(SETTINGS, ema_decay=0.8, checkpoint="last")
STEPPED = replace(SETTINGS, schedule="step", step_epochs=(1, 3), lr_gamma=0.5)


def part(seed: int, n: int) -> PreparedSet:
    rng = np.random.default_rng(seed)
    targets = np.arange(n, dtype=np.int64) % 3
    images = rng.integers(0, 120, (n, 32, 32), dtype=np.uint8)
    for image, target in zip(images, targets, strict=True):
        image[8 * target : 8 * target + 8] += 100
    masks = Rows([np.zeros((n, 32, 32), np.uint8)])
    ids = tuple(map(str, range(n)))
    return PreparedSet(ids, Rows([images]), masks, np.zeros(n, np.bool_), targets, np.zeros(n, np.int64), targets)


def small_network(settings: TrainSettings) -> Classifier:
    torch.manual_seed(settings.seed)
    shape = ClassifySettings(backbone="small_cnn", strategy="whole", size=32, dropout=0.3)
    network = build_classifier(shape, 3)
    assert isinstance(network, Classifier)
    return network


def train(folder: Path, settings: TrainSettings = SETTINGS) -> tuple[Classifier, History]:
    network = small_network(settings)
    history = fit(network, "classifier", part(1, 22), part(2, 9), settings, folder)
    return network, history


def same_weights(first: Classifier, second: Classifier) -> bool:
    other = second.state_dict()
    return all(torch.equal(value, other[key]) for key, value in first.state_dict().items())


def course(history: History) -> list[str]:
    """All but the seconds, to the last digit; as text, because NaN is not equal to itself."""
    return [repr(row.values()[:-1]) for row in history.rows]


class StopError(Exception):
    pass


@pytest.mark.parametrize("settings", [SETTINGS, AVERAGED, STEPPED], ids=["cosine", "averaged", "step"])
def test_resumed_run_ends_with_the_same_weights(tmp_path: Path, settings: TrainSettings) -> None:
    whole, history = train(tmp_path / "whole", settings)

    def stop_after_two(line: str) -> None:
        if line.startswith("epoch 3/"):
            raise StopError

    with pytest.raises(StopError):
        fit(small_network(settings), "classifier", part(1, 22), part(2, 9), settings, tmp_path / "cut", stop_after_two)
    # A resumed process starts from other random numbers; the checkpoint and the epoch decide.
    torch.manual_seed(999)
    resumed, again = train(tmp_path / "cut", settings)
    assert same_weights(whole, resumed)
    assert course(again) == course(history)
    assert again.best_epoch == history.best_epoch


def test_averaged_weights_lie_between_those_of_the_steps(tmp_path: Path) -> None:
    """Training itself is the same; what is kept is the moving average of its steps, here over one epoch of two."""
    settings = replace(SETTINGS, epochs=1, batch=11, checkpoint="last", schedule="constant")
    plain, _ = train(tmp_path / "plain", settings)
    averaged, _ = train(tmp_path / "averaged", replace(settings, ema_decay=0.75))
    checkpoint = torch.load(tmp_path / "averaged" / "last.ckpt", map_location="cpu", weights_only=True)
    last = {key.removeprefix("network."): value for key, value in checkpoint["current_model_state"].items()}
    assert all(torch.equal(value, last[key]) for key, value in plain.state_dict().items())
    kept = averaged.head.linear.weight
    assert not torch.equal(kept, plain.head.linear.weight)
    first, _ = train(tmp_path / "first", replace(settings, ema_decay=1e-12))
    assert torch.allclose(first.head.linear.weight, plain.head.linear.weight, atol=1e-6)


def test_a_training_that_diverges_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"epoch 1: the training loss is no number any more; lower train.learning_rate"):
        train(tmp_path / "lost", replace(SETTINGS, optimizer="sgd", weight_decay=1e30, schedule="constant"))


def test_killed_run_loses_at_most_the_current_epoch(tmp_path: Path) -> None:
    here = Path(__file__).parent
    code = (
        f"import sys; sys.path.insert(0, {str(here)!r})\n"
        "from pathlib import Path\nfrom test_resume import SETTINGS, train\n"
        "from dataclasses import replace\n"
        f"train(Path({str(tmp_path / 'killed')!r}), replace(SETTINGS, epochs=400))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    rows = tmp_path / "killed" / "history.csv"
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and not (rows.exists() and len(rows.read_text().splitlines()) > 6):
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    seen = len(rows.read_text().splitlines()) - 1
    checkpoint = torch.load(tmp_path / "killed" / "last.ckpt", map_location="cpu", weights_only=True)
    assert seen >= 6
    assert checkpoint["epoch"] + 1 >= seen - 1
    assert not list((tmp_path / "killed").glob("*.tmp"))


def test_two_runs_with_one_seed_agree_to_the_last_digit(tmp_path: Path) -> None:
    first, history = train(tmp_path / "first")
    second, again = train(tmp_path / "second")
    assert same_weights(first, second)
    assert course(again) == course(history)


def test_training_does_not_seed_the_global_generator(tmp_path: Path) -> None:
    following = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        network = build_classifier(ClassifySettings(backbone="small_cnn", strategy="whole", size=32, dropout=0.3), 3)
        fit(network, "classifier", part(1, 22), part(2, 9), replace(SETTINGS, epochs=1), tmp_path / str(seed))
        following.append(float(torch.rand(1)))
    assert following[0] != following[1]


def test_another_seed_gives_other_weights(tmp_path: Path) -> None:
    first, _ = train(tmp_path / "first")
    other, _ = train(tmp_path / "other", replace(SETTINGS, seed=1))
    assert not same_weights(first, other)


@pytest.mark.slow
def test_two_devices_train_the_same_network_together(tmp_path: Path) -> None:
    """Two CPU processes stand in for two GPUs: weights and history come back to the process that asked."""
    network, history = train(tmp_path, replace(SETTINGS, devices=2, epochs=2))
    assert [row.epoch for row in history.rows] == [1, 2]
    checkpoint = torch.load(tmp_path / "best.ckpt", map_location="cpu", weights_only=True)["state_dict"]
    own = {f"network.{key}": value for key, value in network.state_dict().items()}
    assert all(torch.equal(checkpoint[key], value) for key, value in own.items())


def test_last_is_the_last_epoch_and_a_finished_training_stays_finished(tmp_path: Path) -> None:
    """A learning rate that wrecks the network: validation gets worse, and the last epoch is kept all the same."""
    wrecking = replace(SETTINGS, learning_rate=1.0, schedule="constant", checkpoint="last", epochs=3)
    network, history = train(tmp_path, wrecking)
    losses = [row.val_loss for row in history.rows]
    assert min(losses) < losses[-1], "this test needs a validation loss that rises"
    assert history.best_epoch == 3
    again, same = train(tmp_path, wrecking)
    assert same_weights(network, again)
    assert course(same) == course(history)


def test_early_stopping_is_not_undone_by_a_second_call(tmp_path: Path) -> None:
    wrecking = replace(SETTINGS, learning_rate=3.0, schedule="constant", patience=1, epochs=30)
    network, history = train(tmp_path, wrecking)
    assert len(history.rows) < 30
    again, same = train(tmp_path, wrecking)
    assert course(same) == course(history)
    assert same_weights(network, again)
