"""How the selected layer is drawn, as the layer panel takes and gives it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .range_values import RangeValues


@dataclass(frozen=True, eq=False)
class ColourChoice:
    """A colour table on offer.

    Attributes
    ----------
    name, title : str
    kind : str
        ``sequential``, ``diverging``, ``categorical`` or ``solid``.
    table : (256, 3) uint8
        First colour first.
    partner : str
        The table that a negative side takes when this one shows the positive, or empty.
    """

    name: str
    title: str
    kind: Literal["sequential", "diverging", "categorical", "solid"]
    table: NDArray[np.uint8]
    partner: str = ""


@dataclass(frozen=True)
class LayerModulation:
    """Another layer that decides where this one shows.

    ``alpha``: opacity rises from 0 at ``low`` to full at ``high`` of the other layer's size. ``clip``: shown only
    where the other layer lies between ``low`` and ``high``.
    """

    layer: int
    how: Literal["alpha", "clip"] = "alpha"
    low: float = 0.0
    high: float = 1.0


@dataclass(frozen=True)
class LayerSettings:
    """Settings of one layer.

    Attributes
    ----------
    kind : str
        ``scalar``, ``labels`` or ``rgb``; decides which settings apply.
    unit : str
        Of the values.
    visible : bool
    opacity : float
        0 to 1.
    colours : str
        Name of a `ColourChoice`.
    inverted : bool
        Last colour first.
    negative : str or None
        Table of the negative side, None when negative values have no side of their own. When it equals ``colours``,
        that table is diverging and its halves show the two signs.
    values : RangeValues
        Two-sided exactly when ``negative`` is not None.
    below : str
        ``hide`` or ``fade`` what the threshold takes away.
    outline : bool
        Draw the border at the threshold, or of each region.
    smooth : bool
        Interpolate between voxels.
    frame, n_frames : int
        Frame shown, counted from 0, and how many there are.
    frame_label : str
        Which frame that is, in time.
    modulation : LayerModulation or None
    """

    kind: Literal["scalar", "labels", "rgb"] = "scalar"
    unit: str = ""
    visible: bool = True
    opacity: float = 1.0
    colours: str = ""
    inverted: bool = False
    negative: str | None = None
    values: RangeValues = field(default_factory=RangeValues)
    below: Literal["hide", "fade"] = "hide"
    outline: bool = False
    smooth: bool = True
    frame: int = 0
    n_frames: int = 1
    frame_label: str = ""
    modulation: LayerModulation | None = None


def side_tables(
    positive: ColourChoice, negative: ColourChoice | None, *, inverted: bool
) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
    """Tables of the positive and the negative side, each running away from zero.

    The halves of a diverging table are stretched to 256 colours each.
    """
    table = positive.table[::-1] if inverted else positive.table
    if negative is None:
        return table, None
    if negative.name == positive.name and positive.kind == "diverging":
        outward = np.repeat(np.arange(128), 2)
        return table[128 + outward], table[127 - outward]
    return table, negative.table[::-1] if inverted else negative.table
