"""Charts of a report as SVG: regions with their intervals, time courses, designs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from .answers import RegionRow
from .report_page import Node, element, number

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 40
ROW_PX, WIDTH_PX, LABEL_PX, VALUE_PX = 19, 900, 250, 225
COURSE_PX, AXIS_PX = (720, 330), 42
CELL_PX, DESIGN_PX = (26, (3, 12)), 160  # a cell: its width, and its height between two
APART_PX, LABEL_GAP_PX = 5, 15
SIGNIFICANT = 0.05
_PLAIN = """svg{background:#fff;color:#1c2126}text{fill:#1c2126;font-family:'DejaVu Sans'}
.axis{stroke:#5b6670;stroke-width:1;fill:none}.faint{stroke:#d5dbe0;stroke-width:1;fill:none}
.up{stroke:#b5480a;fill:#b5480a}.down{stroke:#1f6fb2;fill:#1f6fb2}.band{stroke:none;fill-opacity:.18}.open{fill:none}"""


def svg(width: float, height: float, label: str, *content: Node) -> Node:
    """A picture of lines and text, named for those who cannot see it."""
    return element(
        "svg",
        *content,
        viewBox=f"0 0 {width:g} {height:g}",
        width=f"{width:g}",
        height=f"{height:g}",
        role="img",
        aria_label=label,
    )


def standalone(picture: Node, title: str) -> bytes:
    """An SVG file of its own, dark on white, with a title over it."""
    width, height = float(picture.get("width", "1")), float(picture.get("height", "1"))
    heading = element("text", title, x=12, y=22, font_size=15, font_weight="bold")
    whole = svg(
        width,
        height + 34,
        title,
        element("style", _PLAIN),
        element("rect", width=width, height=height + 34, fill="#fff"),
        heading,
        element("g", *picture, transform="translate(0,34)"),
    )
    whole.set("xmlns", "http://www.w3.org/2000/svg")
    return ET.tostring(whole, encoding="utf-8")


def named(row: RegionRow) -> str:
    """A region with its side, and of graphs its metric."""
    return " ".join(part for part in (row.region, row.side, f"({row.metric})" if row.metric else "") if part)


def told_rows(rows: Sequence[RegionRow]) -> tuple[RegionRow, ...]:
    """Rows of a chart: all, or of very many those with the smallest p in their own order."""
    drawn = [row for row in rows if math.isfinite(row.effect)]
    if len(drawn) <= MOST_ROWS:
        return tuple(drawn)
    kept = {id(row) for row in sorted(drawn, key=lambda row: row.p if math.isfinite(row.p) else 2.0)[:MOST_ROWS]}
    return tuple(row for row in drawn if id(row) in kept)


def significant(row: RegionRow) -> bool:
    """Whether a region passes, corrected over regions where that was done."""
    p = row.p if row.p_fwe is None else row.p_fwe
    return p <= SIGNIFICANT


def forest(rows: Sequence[RegionRow], unit: str) -> Node | None:
    """Effects with their 95 % intervals, an axis per metric; filled where they pass. None when there is no number."""
    drawn = told_rows(rows)
    if not drawn:
        return None
    parts: list[Node] = []
    top = 0.0
    for metric in dict.fromkeys(row.metric for row in drawn):
        own = [row for row in drawn if row.metric == metric]
        marks = _intervals(own, ", ".join(filter(None, (metric, unit))))
        parts += [element("g", *marks, transform=f"translate(0,{top:g})")] if top else marks
        top += ROW_PX * len(own) + 8 + AXIS_PX
    return svg(WIDTH_PX, top, "Effect of each region with its 95 % interval", *parts)


def _intervals(rows: Sequence[RegionRow], unit: str) -> list[Node]:
    """Rows over their own axis."""
    x_of, ticks = scale_of([v for row in rows for v in (row.effect, *row.ci, 0.0)], LABEL_PX, WIDTH_PX - VALUE_PX)
    bottom = ROW_PX * len(rows) + 8
    marks = [element("line", x1=x_of(0.0), x2=x_of(0.0), y1=4, y2=bottom, class_="axis")]
    for k, row in enumerate(rows):
        marks += _interval_row(row, x_of, ROW_PX * (k + 0.5) + 6)
    return [*marks, *bottom_axis(x_of, ticks, bottom, unit)]


def _interval_row(row: RegionRow, x_of: Any, y: float) -> list[Node]:
    colour = "up" if row.effect > 0 else "down"
    low, high = (limit if math.isfinite(limit) else row.effect for limit in row.ci)
    dot = element(
        "circle",
        cx=x_of(row.effect),
        cy=y,
        r=4,
        stroke_width=1.6,
        class_=colour if significant(row) else f"{colour} open",
    )
    if not significant(row):
        dot.set("fill", "none")
        dot.set("style", "fill:none")
    said = f"{_brief(row.effect)} [{_brief(row.ci[0])}, {_brief(row.ci[1])}]"
    return [
        element("text", named(row), x=LABEL_PX - 10, y=y + 4, text_anchor="end", font_size=12),
        element("line", x1=x_of(low), x2=x_of(high), y1=y, y2=y, stroke_width=1.6, class_=colour),
        dot,
        element("text", said, x=WIDTH_PX - VALUE_PX + 12, y=y + 4, font_size=12),
    ]


def _brief(value: float) -> str:
    """Two digits: the table beside the chart has more."""
    return number(float(f"{value:.2g}"))


def course(frame: pd.DataFrame, title: str) -> Node | None:
    """Means over time with their intervals, one line per condition.

    Parameters
    ----------
    frame : DataFrame
        ``condition``, ``time_min``, ``mean``, ``lo``, ``hi``.
    title : str
        What is measured, at the vertical axis.
    """
    if frame.empty:
        return None
    width, height = COURSE_PX
    x_of, x_ticks = scale_of(frame["time_min"].tolist(), 70, width - 130)
    y_of, y_ticks = scale_of(frame[["lo", "hi", "mean"]].to_numpy().ravel().tolist(), height - 48, 34)
    marks = across(y_of, y_ticks, (70, width - 130), title)
    parts = [(str(name), part.sort_values("time_min")) for name, part in frame.groupby("condition", sort=True)]
    for k, (_, part) in enumerate(parts):
        aside = APART_PX * (k - (len(parts) - 1) / 2)  # intervals beside each other, not on top
        marks += _line(part, lambda value, aside=aside: x_of(value) + aside, y_of, ("down", "up")[k % 2])
    known = ((name, part["mean"].dropna().tolist()) for name, part in parts)
    ends = {name: y_of(means[-1]) for name, means in known if means}
    colours = {name: ("down", "up")[k % 2] for k, (name, _) in enumerate(parts)}
    for name, y in _apart(ends).items():
        marks.append(element("line", x1=width - 120, x2=width - 104, y1=y, y2=y, stroke_width=2, class_=colours[name]))
        marks.append(element("text", name, x=width - 98, y=y + 4, font_size=12))
    marks += bottom_axis(x_of, x_ticks, height - 44, "minutes")
    return svg(width, height, f"{title} over time by condition", *marks)


def _apart(heights: dict[str, float]) -> dict[str, float]:
    """Heights of labels, moved down where they would lie on each other."""
    placed: dict[str, float] = {}
    lowest = -LABEL_GAP_PX
    for name, y in sorted(heights.items(), key=lambda each: each[1]):
        lowest = max(y, lowest + LABEL_GAP_PX)
        placed[name] = lowest
    return placed


def _line(part: pd.DataFrame, x_of: Any, y_of: Any, colour: str) -> list[Node]:
    xs = [x_of(value) for value in part["time_min"]]
    means = [f"{x:.1f},{y_of(y):.1f}" for x, y in zip(xs, part["mean"], strict=True) if math.isfinite(y)]
    spans = [(x, lo, hi) for x, lo, hi in zip(xs, part["lo"], part["hi"], strict=True) if math.isfinite(lo + hi)]
    bars = [
        element("line", x1=x, x2=x, y1=y_of(lo), y2=y_of(hi), stroke_width=1.2, class_=colour) for x, lo, hi in spans
    ]
    dots = [element("circle", cx=at.split(",")[0], cy=at.split(",")[1], r=3.2, class_=colour) for at in means]
    joined = element("polyline", points=" ".join(means), stroke_width=1.8, class_=f"{colour} open", style="fill:none")
    return [*bars, joined, *dots]


def design(matrix: NDArray[np.float64], names: Sequence[str]) -> Node:
    """A design matrix as grey cells, each column scaled by its own range; rows are observations, nobody is named."""
    across, (least, most) = CELL_PX
    down = min(most, max(least, DESIGN_PX // len(matrix)))
    low, high = matrix.min(axis=0), matrix.max(axis=0)
    shade = np.where(high > low, (matrix - low) / np.where(high > low, high - low, 1), 1.0)
    cells = [
        element("rect", x=across * j, y=down * i, width=across, height=down, fill=_grey(float(shade[i, j])))
        for i, j in np.ndindex(matrix.shape)
    ]
    n, p = matrix.shape
    heads = [
        element("text", name, font_size=12, transform=f"translate({across * (j + 0.65):g},{down * n + 12}) rotate(40)")
        for j, name in enumerate(names)
    ]
    longest = max(map(len, names), default=0)
    return svg(
        across * p + 7 * longest, down * n + 20 + 4.8 * longest, f"Design of {n} rows and {p} columns", *cells, *heads
    )


def _grey(share: float) -> str:
    level = round(40 + 190 * share)
    return f"#{level:02x}{level:02x}{level:02x}"


def across(y_of: Any, ticks: Sequence[float], ends: tuple[float, float], title: str) -> list[Node]:
    """Faint lines at the ticks of a vertical axis with their numbers, and over them what it counts."""
    marks = [element("text", title, x=8, y=14, font_size=12)]
    for tick in ticks:
        marks.append(element("line", x1=ends[0], x2=ends[1], y1=y_of(tick), y2=y_of(tick), class_="faint"))
        marks.append(element("text", number(tick), x=ends[0] - 8, y=y_of(tick) + 4, text_anchor="end", font_size=12))
    return marks


def bottom_axis(x_of: Any, ticks: Sequence[float], y: float, unit: str) -> list[Node]:
    """A horizontal axis with numbers at its ticks, and its unit."""
    line = element("line", x1=x_of(ticks[0]), x2=x_of(ticks[-1]), y1=y, y2=y, class_="axis")
    labels = [
        element("text", number(tick), x=x_of(tick), y=y + 16, text_anchor="middle", font_size=12) for tick in ticks
    ]
    small = [element("line", x1=x_of(tick), x2=x_of(tick), y1=y, y2=y + 4, class_="axis") for tick in ticks]
    middle = (x_of(ticks[0]) + x_of(ticks[-1])) / 2
    return [line, *small, *labels, element("text", unit, x=middle, y=y + 34, text_anchor="middle", font_size=12)]


def scale_of(values: Sequence[float], start: float, end: float) -> tuple[Any, list[float]]:
    """From values to pixels between `start` and `end`, and round ticks that span them."""
    finite = [value for value in values if math.isfinite(value)] or [0.0]
    low, high = min(finite), max(finite)
    if high <= low:
        pad = abs(low) or 1.0
        low, high = low - pad, high + pad
    step = 10 ** math.floor(math.log10((high - low) / 4))
    step *= next(k for k in (1, 2, 5, 10) if (high - low) / (step * k) <= 5)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = [0.0 if k == 0 else k * step for k in range(first, last + 1)]

    def place(value: float) -> float:
        return round(start + (value - ticks[0]) / (ticks[-1] - ticks[0]) * (end - start), 2)

    return place, ticks
