"""Every error BUSight raises on purpose, in one tree.

    BusightError
    ├── DataError          a data set, a split or a manifest is inconsistent
    │   └── ImageError     one file cannot be used as an image or a mask
    ├── ConfigError        a recipe, an override, a data spec, a filter chain or an option is not allowed
    ├── WeightsError       weights that are not available or do not fit
    ├── BundleError        a bundle that is damaged, newer than this code, or unsafe
    ├── InferenceError     a network's output for an image is no answer: NaN, infinity
    ├── OutputError        a result cannot be written to the given path
    └── MissingExtraError  a library of an optional extra is not installed

Each message is one line: the file or value, the rule, the remedy. None carries patient data.
"""


class BusightError(Exception):
    """Root of every error that BUSight raises on purpose."""


class DataError(BusightError):
    """A data set, a split or a manifest is inconsistent."""


class ImageError(DataError):
    """One file cannot be used as an image or a mask."""


class ConfigError(BusightError):
    """A recipe, an override, a data spec, a filter chain or a command-line option is not allowed."""


class WeightsError(BusightError):
    """Weights are not available or do not fit the network."""


class BundleError(BusightError):
    """A bundle is damaged, newer than this code, or unsafe."""


class InferenceError(BusightError):
    """A network's output for an image is no answer: it holds NaN, infinity or probabilities outside 0–1."""


class OutputError(BusightError):
    """A result cannot be written to the given path."""


class MissingExtraError(BusightError):
    """A library of an optional extra is not installed."""


class ServerError(BusightError):
    """A BUSight server does not answer, or refuses what it is asked."""
