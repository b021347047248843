"""The catalogue of data sources: a spec ``name:argument``, or several joined by `` + ``, to a data set."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from busight.data.dataset import DataSet
from busight.data.table_values import one_patient_warning
from busight.errors import ConfigError, DataError
from busight.io.paths import is_utf8


@dataclass(frozen=True, slots=True)
class SourceEntry:
    """One source: the form of its spec, and its content."""

    form: str
    about: str
    load: Callable[[str], DataSet]


# Each loader is imported when it is used: DICOM, NPZ and phantoms need libraries that the others do not.
def _busi(argument: str) -> DataSet:
    from busight.data.sources.busi import load_busi

    return load_busi(argument)


def _busbra(argument: str) -> DataSet:
    from busight.data.sources.busbra import load_busbra

    return load_busbra(argument)


def _breast(argument: str) -> DataSet:
    from busight.data.sources.breast import load_breast

    return load_breast(argument)


def _bus_uclm(argument: str) -> DataSet:
    from busight.data.sources.bus_uclm import load_bus_uclm

    return load_bus_uclm(argument)


def _bus_uc(argument: str) -> DataSet:
    from busight.data.sources.bus_uc import load_bus_uc

    return load_bus_uc(argument)


def _oasbud(argument: str) -> DataSet:
    from busight.data.sources.oasbud import load_oasbud

    return load_oasbud(argument)


def _buid(argument: str) -> DataSet:
    from busight.data.sources.buid import load_buid

    return load_buid(argument)


def _udiat(argument: str) -> DataSet:
    from busight.data.sources.udiat import load_udiat

    return load_udiat(argument)


def _breastmnist(argument: str) -> DataSet:
    from busight.data.sources.breastmnist import load_breastmnist

    return load_breastmnist(argument)


def _folder(argument: str) -> DataSet:
    from busight.data.sources.folder import load_folder

    return load_folder(argument)


def _dicom(argument: str) -> DataSet:
    from busight.data.sources.dicom import load_dicom

    return load_dicom(argument)


def _phantom(argument: str) -> DataSet:
    from busight.data.sources.phantom import load_phantoms

    return load_phantoms(argument)


SOURCES: dict[str, SourceEntry] = {
    "busi": SourceEntry("busi:PATH", "BUSI in its official layout (780 images, 3 classes, masks)", _busi),
    "busbra": SourceEntry("busbra:PATH", "BUS-BRA (patients, BI-RADS, histology, device, official folds)", _busbra),
    "breast": SourceEntry("breast:PATH", "BrEaST (patients, BI-RADS 4a–4c, histology, spacing; XLSX or CSV)", _breast),
    "bus_uclm": SourceEntry("bus_uclm:PATH", "BUS-UCLM (patients, three classes, colour masks)", _bus_uclm),
    "bus_uc": SourceEntry("bus_uc:PATH", "BUS_UC in its official layout (Benign, Malignant; images, masks)", _bus_uc),
    "oasbud": SourceEntry(
        "oasbud:FILE.mat", "OASBUD: raw echoes turned into B-mode images, two planes a lesion", _oasbud
    ),
    "buid": SourceEntry("buid:PATH", "BUID, the Breast Ultrasound Images Database (Benign, Malignant)", _buid),
    "udiat": SourceEntry("udiat:PATH", "UDIAT, Dataset B (original, GT, DatasetB.xlsx)", _udiat),
    "breastmnist": SourceEntry("breastmnist:FILE.npz", "BreastMNIST at 28–224 pixels with its own split", _breastmnist),
    "folder": SourceEntry(
        "folder:PATH", "class folders of any names, or a CSV with path,label[,patient,mask]", _folder
    ),
    "dicom": SourceEntry("dicom:PATH", "DICOM ultrasound files or folders, single- or multi-frame", _dicom),
    "phantom": SourceEntry("phantom:N[,key=value]", "N simulated ultrasound images with masks and labels", _phantom),
}


def load_data(spec: str) -> DataSet:
    """Return the data set that a spec names.

    Args:
        spec: ``name:argument``, e.g. ``"busi:data/Dataset_BUSI_with_GT"`` or ``"phantom:240"``, or several of them
            separated by `` + ``. A path may hold a `` + `` too, unless a source's name and a colon follow it. In a
            joined set, ``NAME=`` before a spec names the source of its images, e.g. a hospital; specs with one name are
            one source.

    Raises:
        ConfigError: The name is not a source, or the spec is not UTF-8.
        DataError: The source cannot be read.
    """
    if not is_utf8(spec):
        raise ConfigError(f"data spec {spec!r}: not UTF-8, so no record can hold it; rename the folder")
    parts = _PLUS.split(spec)
    if len(parts) == 1:
        return _load_one(spec)
    from busight.data.concat import concat

    if again := [part for part, count in Counter(part.strip() for part in parts).items() if count > 1]:
        raise ConfigError(f"data spec {spec!r}: {again[0]!r} stands in it twice; name each set once")
    named = [_NAMED.fullmatch(part.strip()) for part in parts]
    return concat(
        [_load_one(part.strip() if match is None else match[2]) for part, match in zip(parts, named, strict=True)],
        [None if match is None else match[1] for match in named],
    )


_SPEC = rf"(?:{'|'.join(SOURCES)}):"
_NAMED = re.compile(rf"([\w-]+)=({_SPEC}.*)", re.DOTALL)
_PLUS = re.compile(rf" \+ (?=\s*(?:[\w-]+=)?{_SPEC})")


def _load_one(spec: str) -> DataSet:
    name, colon, argument = spec.partition(":")
    if not colon or name not in SOURCES:
        if _NAMED.fullmatch(spec):
            raise ConfigError(f"data spec {spec!r}: NAME= goes with several sets joined by ' + '; leave it away")
        near = difflib.get_close_matches(name, SOURCES, n=1)
        hint = (
            f"did you mean {SOURCES[near[0]].form}?"
            if near
            else "write one of " + ", ".join(e.form for e in SOURCES.values())
        )
        raise ConfigError(f"data spec {spec!r}: {name!r} is not a source; {hint}")
    try:
        dataset = SOURCES[name].load(argument)
    except DataError as error:
        raise DataError(f"{error}{_joining_hint(argument)}") from error
    return replace(dataset, problems=(*dataset.problems, *one_patient_warning(dataset.samples)))


def _joining_hint(argument: str) -> str:
    """Return a hint that a `` + `` was read as part of a path, where the name of a source may be misspelt."""
    tails = re.findall(r" \+ *(\w+):", argument)
    return f"; after ' + ' {tails[0]!r} is not a source and was read as part of the path" if tails else ""
