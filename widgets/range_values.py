"""Display range and threshold of a layer, one-sided or with a side for each sign."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray

Bound = Literal["low", "high", "threshold", "negative_low", "negative_high", "negative_threshold"]
BOUNDS: tuple[Bound, ...] = ("low", "high", "threshold", "negative_low", "negative_high", "negative_threshold")
HIDDEN = 128
"""Grey of what the threshold takes away."""


@dataclass(frozen=True)
class RangeValues:
    """Which values take which end of the colours, and which are not shown.

    With ``two_sided`` the negative bounds are sizes: 0.3 is the value -0.3; and ``low``, ``high`` and ``threshold``
    apply to positive values only. Without, the negative bounds say nothing and ``threshold`` is a plain lower bound.

    Attributes
    ----------
    low, high : float
        Values that get the first and the last colour.
    threshold : float or None
        Least value shown.
    negative_low, negative_high, negative_threshold
        The same for negative values.
    two_sided : bool
    """

    low: float = 0.0
    high: float = 1.0
    threshold: float | None = None
    negative_low: float = 0.0
    negative_high: float = 1.0
    negative_threshold: float | None = None
    two_sided: bool = False


def twin(bound: Bound) -> Bound:
    """The same bound of the other side."""
    other = bound.removeprefix("negative_")
    return cast("Bound", other if other != bound else f"negative_{bound}")


def moved(
    values: RangeValues, bound: Bound, to: float | None, *, gap: float = 0.0, mirrored: bool = False
) -> RangeValues:
    """The range after one bound was dragged: it stops ``gap`` short of the other end, and at zero if two-sided."""
    if to is not None:
        to = _stopped(values, bound, to, gap)
    result = replace(values, **{bound: to})  # pyright: ignore[reportArgumentType] - only thresholds are set to None
    return moved(result, twin(bound), to, gap=gap) if mirrored and values.two_sided else result


def _stopped(values: RangeValues, bound: Bound, to: float, gap: float) -> float:
    if values.two_sided:
        to = max(0.0, to)
    if bound.endswith("low"):
        return min(to, (values.high if bound == "low" else values.negative_high) - gap)
    if bound.endswith("high"):
        return max(to, (values.low if bound == "high" else values.negative_low) + gap)
    return to


def typed(values: RangeValues, bound: Bound, to: float | None, *, mirrored: bool = False) -> RangeValues:
    """The range after one bound was typed: the other end makes way and keeps its distance.

    Where it cannot (two sides end at zero), the range stays as it was.
    """
    if to is not None and values.two_sided:
        to = max(0.0, to)
    result = replace(values, **{bound: to})  # pyright: ignore[reportArgumentType] - only thresholds are set to None
    if to is not None:
        result = _made_room(values, result, bound, to)
    return typed(result, twin(bound), to) if mirrored and values.two_sided else result


def _made_room(before: RangeValues, after: RangeValues, bound: Bound, to: float) -> RangeValues:
    side = "negative_" if bound.startswith("negative") else ""
    low, high = f"{side}low", f"{side}high"
    if getattr(after, low) < getattr(after, high):
        return after
    width: float = getattr(before, high) - getattr(before, low)
    least = 0.0 if before.two_sided else -np.inf
    after = replace(after, **{high: to + width} if bound == low else {low: max(least, to - width)})
    return after if getattr(after, low) < getattr(after, high) else before


def with_negative(values: RangeValues, *, two_sided: bool) -> RangeValues:
    """Add a negative side that mirrors the positive one, or take it away."""
    if two_sided == values.two_sided:
        return values
    if not two_sided:
        return replace(values, two_sided=False)
    low = max(0.0, values.low)
    high = values.high if values.high > low else max(abs(values.low), abs(values.high))
    threshold = None if values.threshold is None else max(0.0, values.threshold)
    return RangeValues(low, high, threshold, low, high, threshold, two_sided=True)


def mirrored(values: RangeValues) -> RangeValues:
    """The range with the negative side like the positive one."""
    low = max(0.0, values.low)
    threshold = None if values.threshold is None else max(0.0, values.threshold)
    return replace(values, negative_low=low, negative_high=values.high, negative_threshold=threshold)


def colours_at(
    x: NDArray[np.float64],
    values: RangeValues,
    positive: NDArray[np.uint8],
    negative: NDArray[np.uint8] | None,
) -> NDArray[np.uint8]:
    """Colours of values as the layer shows them, grey where the threshold hides them.

    Returns
    -------
    (n, 3) uint8
    """
    is_negative = (x < 0) & (values.two_sided and negative is not None)
    low = np.where(is_negative, values.negative_low, values.low)
    width = np.where(is_negative, values.negative_high, values.high) - low
    size = np.where(is_negative, -x, x)
    place = np.clip((size - low) / np.where(width > 0, width, 1), 0, 1)
    entry = np.rint(place * 255).astype(np.intp)
    colours = np.where(is_negative[:, None], positive[entry] if negative is None else negative[entry], positive[entry])
    lowest = -np.inf if values.threshold is None else values.threshold
    lowest_negative = -np.inf if values.negative_threshold is None else values.negative_threshold
    hidden = size < np.where(is_negative, lowest_negative, lowest)
    if values.two_sided and negative is None:
        hidden |= x < 0
    return np.where(hidden[:, None], np.uint8(HIDDEN), colours).astype(np.uint8)
