"""The recipe's ``train`` section. No PyTorch here: recipes are read without it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from pydantic import Field

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]


Balance = Literal["none", "class", "source", "source-class"]

MaskObjective = Literal["bce_dice", "bce", "dice", "focal_tversky", "boundary"]
"""Names of the mask losses; `busight.training.losses` has them."""


@dataclass(frozen=True, slots=True)
class AugmentSettings:
    """Random changes of training images, drawn anew each epoch on the device; masks are transformed with them.

    Attributes:
        flip: Mirror left to right with probability 1/2.
        rotate_deg: Largest rotation in degrees.
        translate: Largest shift as a share of the side.
        scale: Largest relative change of size: 0.1 means 0.9–1.1.
        aspect: Largest stretch of the width alone: 0.3 means 0.7–1.3.
        brightness: Largest relative change of all grey values: 0.1 multiplies by 0.9–1.1.
        contrast: Largest relative change of the distance from the image's mean.
        gamma: Largest change of the exponent: 0.2 means 0.8–1.2.
        gain: Largest brightening or darkening at one edge, falling linearly to none at the other, in shares of the grey
            range: another setting of the time-gain compensation.
        blur: Largest standard deviation of a Gaussian blur, in pixels of the network's input: a coarser resolution.
        speckle: Standard deviation of noise that grows with the grey value, in shares of it.
        noise: Standard deviation of additive noise, in shares of the grey range.
        erase: Probability of blanking one rectangle of 2–10 % of the area, in image and mask.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    flip: bool = False
    rotate_deg: Annotated[float, Field(ge=0, le=180)] = 0.0
    translate: Share = 0.0
    scale: Annotated[float, Field(ge=0, lt=1)] = 0.0
    aspect: Annotated[float, Field(ge=0, lt=1)] = 0.0
    brightness: Share = 0.0
    contrast: Share = 0.0
    gamma: Annotated[float, Field(ge=0, lt=1)] = 0.0
    gain: Share = 0.0
    blur: Annotated[float, Field(ge=0, le=8)] = 0.0
    speckle: Share = 0.0
    noise: Share = 0.0
    erase: Share = 0.0


@dataclass(frozen=True, slots=True)
class CropSettings:
    """Random crops that a training draws in place of whole images, for strategies that begin with the whole image.

    In ``global_local`` they take the place of the local views that it trains on otherwise. Each image has one crop of
    either kind, cut from its own pixels. An image without an annotated mask stays whole.

    Attributes:
        lesion_free: Probability of a crop beside the lesion with 0.3 to 0.6 of each side, which is taught as the class
            without a lesion: what normal tissue looks like is then learned from every data set, not from those alone
            that hold normal images.
        lesion: Probability of a crop that holds the whole lesion, so that the size of a crop says nothing of its class.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    lesion_free: Share = 0.0
    lesion: Share = 0.0

    @property
    def drawn(self) -> bool:
        """Whether any crop is drawn."""
        return self.lesion_free > 0 or self.lesion > 0

    def __post_init__(self) -> None:
        """Raise for probabilities whose sum is above 1."""
        if self.lesion_free + self.lesion > 1:
            raise ValueError("train.crops: the sum of both probabilities is above 1; whole images have the rest")


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """How a network is fitted.

    Attributes:
        epochs: Passes over the training subset.
        batch: Images a step, 2 or more: one image has no variance to normalise by.
        optimizer: ``adam``, ``adamw`` or ``sgd`` (with momentum 0.9).
        learning_rate: Highest step size.
        weight_decay: Decoupled for AdamW.
        schedule: ``step`` (times ``lr_gamma`` every ``step_size`` epochs, or after each of ``step_epochs``), ``cosine``
            (linear warm-up, then to zero) or ``constant``.
        step_size: Epochs between steps of the schedule ``step``.
        step_epochs: Epochs after which the schedule ``step`` steps, instead of every ``step_size``; empty for none.
        lr_gamma: Factor of the schedule ``step``.
        warmup_epochs: Linear warm-up of the schedule ``cosine``.
        label_smoothing: 0–1.
        class_weights: Weigh classes by the inverse of their frequency in the training subset.
        seg_loss_weight: Weight of the mask's loss beside the class loss, in ``joint``.
        balance: What is drawn equally often, with replacement: ``none`` (each image once an epoch), ``class`` (each
            label), ``source`` (data sets joined with +), or ``source-class`` (each label of each data set).
        seg_loss: The mask's loss: ``bce_dice``, ``bce``, ``dice``, ``focal_tversky`` or ``boundary``; see
            `busight.training.losses`.
        patience: Stop after this many epochs without a better validation metric; 0 never stops early.
        checkpoint: Which epoch's weights are kept: ``best`` on validation, or the ``last``.
        ema_decay: Decay a step of a moving average of the weights, which is then validated and kept, 0–1: 0.98 averages
            over some fifty steps, 0 over none.
        members: Trainings from the same initial weights, each with another order and other random changes; the mean of
            their weights is kept, with statistics of batch normalisation from the training images. It costs as many
            trainings, and nothing at prediction; see `busight.training.average`.
        seed: Seed of initial weights, order and augmentation.
        precision: ``auto`` (mixed on a GPU that supports it, else 32-bit) or one of Lightning's names.
        channels_last: Memory layout that convolutions prefer.
        devices: ``1``, a number of devices, or ``auto``.
        accelerator: ``auto``, ``cpu`` or ``gpu``.
        accumulate: Batches whose gradients are summed before each step of the optimizer: a larger batch in less memory;
            batch normalisation still sees ``batch`` images.
        workers: Processes that read batches ahead; 0 reads them in the training process.
        compile: Compile the network with ``torch.compile``: a minute or more at the start, faster steps afterwards on
            most GPUs. `benchmarks/training_loop.py` measures whether it pays.
        crops: Random crops drawn in place of whole images.
        augment: Random changes of training images.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    epochs: Count = 3
    batch: Annotated[int, Field(ge=2)] = 16
    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    learning_rate: Annotated[float, Field(gt=0, le=1e3, allow_inf_nan=False)] = 1e-4
    weight_decay: NotNegative = 0.0
    schedule: Literal["step", "cosine", "constant"] = "step"
    step_size: Count = 5
    step_epochs: tuple[Count, ...] = ()
    lr_gamma: Positive = 0.1
    warmup_epochs: NotNegative = 1.0
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    class_weights: bool = False
    seg_loss_weight: NotNegative = 1.0
    balance: Balance = "none"
    seg_loss: MaskObjective = "bce_dice"
    patience: Annotated[int, Field(ge=0)] = 0
    checkpoint: Literal["best", "last"] = "best"
    ema_decay: Annotated[float, Field(ge=0, lt=1)] = 0.0
    members: Annotated[int, Field(ge=1, le=32)] = 1
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    precision: Literal["auto", "32-true", "16-mixed", "bf16-mixed"] = "auto"
    channels_last: bool = True
    devices: Count | Literal["auto"] = 1
    accelerator: Literal["auto", "cpu", "gpu"] = "auto"
    accumulate: Count = 1
    workers: Annotated[int, Field(ge=0, le=256)] = 0
    compile: bool = False
    crops: CropSettings = field(default_factory=CropSettings)
    augment: AugmentSettings = field(default_factory=AugmentSettings)
