"""Small multiples: the same slices on one scale under other reference regions and thresholds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace as changed

from ..display import model_look
from ..recipes import FileMap, Point
from ..state import Colours, Marks, Overlay, Threshold
from .answers import Answered
from .report_paint import Row, painted_rows
from .report_view import peaks, view_of

ROW_PX, BAR_PX = 270, 46
THRESHOLDS = (0.05, 0.01, 0.001)
PREFIX = "t_"


def multiples(answered: Answered, maps: Mapping[str, Path]) -> bytes | None:
    """PNG: a row per reference region, then the map of the answer outlined at three thresholds; None without maps.

    Parameters
    ----------
    answered : Answered
        With the maps ``t_<reference>`` of `asked_more.with_more`.
    maps : mapping of str to Path
        Files of its maps, by their names.
    """
    names = [PREFIX + name for name in answered.details.get("sensitivity", {}).get("references", ())]
    names = [name for name in names if name in maps]
    if not names or "t" not in maps:
        return None
    df = next((row.df for row in answered.regions if math.isfinite(row.df)), 1e6)
    values = [np.asarray(answered.maps[name][0]) for name in ("t", *names)]
    colours, threshold = model_look("t", (1.0, df), np.concatenate([each.ravel() for each in values]))
    at = (*peaks(values[0], answered.maps["t"][1], _own(answered)), (0.0, 0.0, 0.0))[0]
    cells = [(name, f"reference: {name[len(PREFIX) :]}", threshold) for name in names]
    one_sided = answered.plan.ask.inference.one_sided
    for p in THRESHOLDS:
        cut = _cut(p, df, one_sided=one_sided)
        words = f"threshold: p < {p:g} uncorrected, outlined beyond |t| = {cut:.2f}"
        cells.append(("t", words, changed(threshold, value=cut, negative=cut)))
    rows = [
        _row(maps[name], words, (colours, cut), at, last=k + 1 == len(cells))
        for k, (name, words, cut) in enumerate(cells)
    ]
    return painted_rows(rows, answered.plan.title)


def _row(path: Path, words: str, look: tuple[Colours, Threshold], at: Point, *, last: bool) -> Row:
    """A map's slices; the colour bar stands under the last row, for all."""
    colours, threshold = look
    layer = Overlay(2, FileMap(str(path)), "t", colours, changed(threshold, below="fade", outline=True), 0.9)
    marks = Marks(crosshair=False, scale_bar=last, colour_bars=last)
    return Row(changed(view_of((layer,), at), marks=marks), (("", words),), height=ROW_PX + last * BAR_PX)


def _own(answered: Answered) -> Sequence[Any]:
    test = answered.plan.test
    return [each for each in answered.clusters if not test or each.get("test") == test]


def _cut(p: float, df: float, *, one_sided: bool) -> float:
    from scipy import special  # noqa: PLC0415 - slow to import

    return float(-special.stdtrit(df, p if one_sided else p / 2))
