"""Citations and licences of public data sets, by the name of their source."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Citation:
    """How a data set is cited, and its terms of use as far as they are known."""

    text: str
    licence: str


CITATIONS: dict[str, Citation] = {
    "busi": Citation(
        "Al-Dhabyani W, Gomaa M, Khaled H, Fahmy A. Dataset of breast ultrasound images. "
        "Data in Brief 28 (2020) 104863. doi:10.1016/j.dib.2019.104863",
        "see the article; the authors ask for it to be cited",
    ),
    "busbra": Citation(
        "Gómez-Flores W, Gregorio-Calas MJ, Pereira WCA. BUS-BRA: A breast ultrasound dataset for assessing "
        "computer-aided diagnosis systems. Medical Physics 51 (2024) 3110-3123. doi:10.1002/mp.16812",
        "CC BY 4.0",
    ),
    "bus_uc": Citation(
        "Iqbal A, Sharif M. BUS_UC. Mendeley Data. doi:10.17632/3ksd7w7jkx; collected from ultrasoundcases.info",
        "not confirmed: its licence page could not be seen",
    ),
}
"""The sets that the ready model learned from."""

UNKNOWN = Citation("", "not known to BUSight; ask the makers of the data")
