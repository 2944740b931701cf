"""Colours of a painted metric: which range suits its values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..display import round_number
from ..state import Colours


def fitted(values: NDArray[np.float64], colours: Colours) -> Colours:
    """The colours with a range from 0 to the largest value; two-sided where some are negative.

    One-sided tables stay what the user chose; between one and two sides they change to the usual ones.
    """
    known = values[np.isfinite(values)]
    top = round_number(float(np.abs(known).max(initial=0.0))) or 1.0
    if known.size and known.min() < 0:
        both = colours.negative is not None
        return Colours(
            colours.name if both else "warm", 0.0, top, colours.negative or "cool", 0.0, top, colours.inverted
        )
    name = colours.name if colours.negative is None else "viridis"
    return Colours(name, 0.0, top, inverted=colours.inverted)


def is_fitted(colours: Colours, values: NDArray[np.float64]) -> bool:
    """Whether a range is the one that suits the values: then it follows them, else the user has chosen it."""
    return fitted(values, colours) == colours
