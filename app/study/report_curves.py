"""Charts of a report with two axes: people predicted, spectra."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .report_charts import across, bottom_axis, scale_of, svg
from .report_page import Node, element

if TYPE_CHECKING:
    import pandas as pd

    from .spectra_mean import MeanSpectra

Float64 = NDArray[np.float64]
SCATTER_PX = (520, 420)
SPECTRUM_PX = (820, 330)
LEFT_PX, TOP_PX, BOTTOM_PX, RIGHT_PX = 70, 34, 48, 20
LOWEST = -0.1  # noise below it has no room of its own
LINES = ("down", "up")
KNOWN = ((2.01, "NAA"), (3.03, "Cr"), (3.21, "Cho"), (2.35, "Glx"), (3.75, "Glx"))  # peaks, ppm


def scatter(frame: pd.DataFrame, what: str) -> Node | None:
    """Observed and predicted values of people, on one scale, with the line of a perfect prediction.

    Parameters
    ----------
    frame : DataFrame
        ``observed`` and ``predicted``.
    what : str
        What is predicted.
    """
    known = frame[["observed", "predicted"]].dropna().to_numpy(np.float64)
    if not len(known):
        return None
    width, height = SCATTER_PX
    x_of, ticks = scale_of(known.ravel().tolist(), LEFT_PX, width - RIGHT_PX)
    y_of, _ = scale_of(known.ravel().tolist(), height - BOTTOM_PX, TOP_PX)
    low, high = ticks[0], ticks[-1]
    ends = {"x1": x_of(low), "y1": y_of(low), "x2": x_of(high), "y2": y_of(high)}
    marks = across(y_of, ticks, (LEFT_PX, width - RIGHT_PX), f"predicted {what}")
    marks.append(element("line", **ends, class_="axis", stroke_dasharray="5 4"))
    marks += [element("circle", cx=x_of(x), cy=y_of(y), r=4.5, class_="down", fill_opacity=0.75) for x, y in known]
    marks += bottom_axis(x_of, ticks, height - BOTTOM_PX + 4, f"observed {what}")
    return svg(width, height, f"Observed and predicted {what} of {len(known)} people", *marks)


def spectrum(found: MeanSpectra) -> Node | None:
    """Mean spectra by condition over chemical shift, which falls to the right as is usual."""
    if not found.means:
        return None
    width, height = SPECTRUM_PX
    right = width - 150
    x_of = _falling(found.ppm, LEFT_PX, right)
    values = np.concatenate([[0.0], *found.means.values()])
    shown = values if values.min() < LOWEST else values.clip(0)
    y_of, y_ticks = scale_of(shown.tolist(), height - BOTTOM_PX, TOP_PX)
    marks = across(y_of, y_ticks, (LEFT_PX, right), "of the height of tNAA")
    for ppm, name in KNOWN:
        tallest = max(float(np.interp(ppm, found.ppm, mean)) for mean in found.means.values())
        marks.append(element("text", name, x=x_of(ppm), y=y_of(tallest) - 7, text_anchor="middle", font_size=11))
    for k, (name, mean) in enumerate(found.means.items()):
        points = " ".join(f"{x_of(x):.1f},{y_of(y):.1f}" for x, y in zip(found.ppm, mean, strict=True))
        style = "fill:none"
        colour = f"{LINES[k % 2]} open"
        marks.append(element("polyline", points=points, stroke_width=1.4, class_=colour, style=style))
        y = TOP_PX + 18 * k + 6
        marks.append(element("line", x1=right + 14, x2=right + 34, y1=y, y2=y, stroke_width=2, class_=LINES[k % 2]))
        marks.append(element("text", f"{name} ({found.counts[name]})", x=right + 40, y=y + 4, font_size=12))
    ticks = [ppm for ppm in np.arange(4.0, 0.4, -0.5).tolist() if found.ppm[0] <= ppm <= found.ppm[-1]]
    marks += bottom_axis(x_of, ticks, height - BOTTOM_PX + 4, "chemical shift [ppm]")
    return svg(width, height, "Mean spectra by condition", *marks)


def _falling(ppm: Float64, start: float, end: float) -> Callable[[float], float]:
    low, high = float(ppm[0]), float(ppm[-1])
    return lambda value: round(start + (high - value) / (high - low) * (end - start), 2)
