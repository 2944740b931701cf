"""What is drawn over pictures, as values: lines, texts, boxes.

Computed once per scene; VTK draws them on the screen and in pictures, a vector painter in figures.
Positions are canvas pixels, y downwards.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .scene import AXIS_INDEX, Colour, ColourBar, Panel, Point, Rect, Shading, SliceScene

CROSSHAIR: Colour = (120, 230, 120)
GAP_PX = 7.0
FONT_PX, TITLE_PX = 13.0, 11.5
CAPTION_PX = 90.0  # about what "simulated data" takes


class Line(NamedTuple):
    """A polyline, (n, 2) points."""

    points: NDArray[np.float32]
    colour: Colour
    width: float


class Text(NamedTuple):
    """A short text; the anchor says which point of it stands at x, y (such as ``left top``)."""

    x: float
    y: float
    text: str
    size: float
    colour: Colour
    across: Literal["left", "centre", "right"] = "left"
    down: Literal["top", "centre", "bottom"] = "centre"
    bold: bool = False


class Box(NamedTuple):
    """A filled rectangle with float edges."""

    x: float
    y: float
    width: float
    height: float
    colour: Colour


Mark = Line | Text | Box

# Letters at the left, right, top and bottom of each kind of slice, in neurological orientation.
_LETTERS = {"sagittal": "PASI", "coronal": "LRSI", "axial": "LRAP"}


def letters_of(panel: Panel) -> tuple[str, str, str, str]:
    """Anatomical letters at the left, right, top and bottom edge of a panel."""
    left, right, top, bottom = _LETTERS[panel.axis]
    return (right, left, top, bottom) if panel.right_sign < 0 else (left, right, top, bottom)


def slice_marks(scene: SliceScene) -> list[Mark]:
    """Everything over the slices but outlines: crosshair, letters, positions, scale bar, colour bars."""
    marks: list[Mark] = []
    for panel in scene.panels:
        if scene.crosshair_mm is not None:
            marks += crosshair(panel, scene.crosshair_mm, scene.scale)
        if scene.letters:
            marks += letters(panel, scene.panels, scene.ink, scene.scale)
        if panel.title:
            marks += title(panel, scene.background, scene.ink, scene.scale)
        if scene.positions:
            marks.append(position(panel, scene.ink, scene.scale))
    if scene.scale_bar and scene.panels:
        marks += scale_bar(scene.panels[0], scene.ink, scene.scale)
    if scene.bar_rect is not None:
        taken = round(CAPTION_PX * scene.scale) if scene.caption else 0
        marks += colour_bars(scene.bars, narrower(scene.bar_rect, taken), scene.ink, scene.scale)
    if scene.caption:
        marks.append(caption(scene.caption, scene.size, scene.ink, scene.scale))
    return marks


def narrower(rect: Rect, by_px: int) -> Rect:
    """A rectangle that leaves room at its right edge, at most a third."""
    return rect._replace(width=rect.width - min(by_px, rect.width // 3))


def caption(text: str, size: tuple[int, int], ink: Colour, scale: float) -> Mark:
    """A note in the lower right corner of the canvas."""
    width, height = size
    return Text(width - 10 * scale, height - 4 * scale, text, 10.5 * scale, ink, "right", "bottom")


def crosshair(panel: Panel, at_mm: Point, scale: float) -> list[Mark]:
    """Two broken lines that leave the point itself free; none on slices that the point is not on."""
    if abs(at_mm[AXIS_INDEX[panel.axis]] - panel.position_mm) > 1e-3:
        return []
    x, y = panel.px_of(at_mm)
    rect, gap = panel.rect, GAP_PX * scale
    right, bottom = rect.x + rect.width, rect.y + rect.height
    marks: list[Mark] = []
    for (x0, y0), (x1, y1) in (
        ((rect.x, y), (x - gap, y)),
        ((x + gap, y), (right, y)),
        ((x, rect.y), (x, y - gap)),
        ((x, y + gap), (x, bottom)),
    ):
        x0, x1 = (min(max(v, rect.x), right) for v in (x0, x1))  # noqa: PLW2901 - clipped to the panel
        y0, y1 = (min(max(v, rect.y), bottom) for v in (y0, y1))  # noqa: PLW2901
        inside = rect.x <= x <= right if x0 == x1 else rect.y <= y <= bottom
        if inside and (x0 != x1 or y0 != y1):
            marks.append(Line(np.array([[x0, y0], [x1, y1]], np.float32), CROSSHAIR, 1.0 * scale))
    return marks


def letters(panel: Panel, panels: tuple[Panel, ...], ink: Colour, scale: float) -> list[Mark]:
    """L, R, A, P, S, I at the edges, but between like slices of a row or column, where they would repeat."""
    left, right, top, bottom = letters_of(panel)
    rect, size, edge = panel.rect, FONT_PX * scale, 5 * scale
    if rect.width < 5 * size or rect.height < 5 * size:
        size = max(8.0 * scale, min(rect.width, rect.height) / 6)
    middle_x, middle_y = rect.x + rect.width / 2, rect.y + rect.height / 2
    end_x, end_y = rect.x + rect.width - edge, rect.y + rect.height - edge
    reaches = 6 * scale + title_width(panel.title, scale) > rect.width / 2 - size
    below = 18 * scale if panel.title and reaches else 0.0  # the letter stands below a title that reaches the middle
    like = [other.rect for other in panels if other.axis == panel.axis]
    row, column = [r.x for r in like if r.y == rect.y], [r.y for r in like if r.x == rect.x]
    marks = (
        (min(row) == rect.x, Text(rect.x + edge, middle_y, left, size, ink, "left", "centre", bold=True)),
        (
            max(row) == rect.x,
            Text(end_x, middle_y, right, size, ink, "right", "centre", bold=True),
        ),
        (min(column) == rect.y, Text(middle_x, rect.y + edge + below, top, size, ink, "centre", "top", bold=True)),
        (
            max(column) == rect.y,
            Text(middle_x, end_y, bottom, size, ink, "centre", "bottom", bold=True),
        ),
    )
    return [text for at_edge, text in marks if at_edge]


def title(panel: Panel, background: Colour, ink: Colour, scale: float) -> list[Mark]:
    """Of a panel, in the upper left corner, on a plate: it may lie on a bright scan."""
    size = TITLE_PX * scale
    text = shortened(panel.title, "", round(panel.rect.width - 12 * scale), size)
    x, y = panel.rect.x + 6 * scale, panel.rect.y + 5 * scale
    width = min(title_width(text, scale) + 6 * scale, panel.rect.width - 3 * scale)
    plate = Box(x - 3 * scale, y - 2 * scale, width, size + 6 * scale, background)
    return [plate, Text(x, y, text, size, ink, "left", "top", bold=True)]


def title_width(text: str, scale: float) -> float:
    """About what a title takes, in pixels."""
    return 0.63 * TITLE_PX * scale * len(text)


def position(panel: Panel, ink: Colour, scale: float) -> Mark:
    """Such as ``x = -44 mm`` in the upper left corner, below the panel's title."""
    name = "xyz"[AXIS_INDEX[panel.axis]]
    small = panel.rect.width < 180 * scale
    text = f"{name} = {number(round(panel.position_mm, 1))}" + ("" if small else " mm")
    size = (9.5 if small else 11.5) * scale
    below = 5 * scale if not panel.title else 22 * scale
    return Text(panel.rect.x + 6 * scale, panel.rect.y + below, text, size, ink, "left", "top")


def scale_bar(panel: Panel, ink: Colour, scale: float) -> list[Mark]:
    """A bar of a round length in the lower left corner."""
    length_mm = round_below(min(panel.rect.width * panel.mm_per_px / 4, 100.0))
    length_px = length_mm / panel.mm_per_px
    x = panel.rect.x + 10 * scale
    y = panel.rect.y + panel.rect.height - 10 * scale
    unit = f"{number(length_mm / 10)} cm" if length_mm >= 10 else f"{number(length_mm)} mm"
    return [
        Line(np.array([[x, y], [x + length_px, y]], np.float32), ink, 2.0 * scale),
        Text(x, y - 4 * scale, unit, 10.5 * scale, ink, "left", "bottom"),
    ]


def round_below(value: float) -> float:
    """Largest 1, 2 or 5 times a power of ten that is not above the value."""
    power = 10.0 ** math.floor(math.log10(max(value, 1e-9)))
    return max(step * power for step in (1, 2, 5) if step * power <= value * (1 + 1e-9))


def number(value: float) -> str:
    """A number for people: four significant digits, a real minus sign, no trailing zeros, no -0."""
    if not math.isfinite(value):
        return "–"
    text = f"{value:.4g}"
    if "e" in text and 1e-3 <= abs(value) < 1e6:
        text = f"{value:.0f}"
    return "0" if text in ("-0", "0") else text.replace("-", "\N{MINUS SIGN}")


def colour_bars(bars: tuple[ColourBar, ...], rect: Rect, ink: Colour, scale: float) -> list[Mark]:
    """Side by side: name and unit above the colours, numbers below; what the threshold hides is left out."""
    marks: list[Mark] = []
    if not bars:
        return marks
    pitch = min(rect.width / len(bars), 300 * scale)
    for place, bar in enumerate(bars):
        area = Rect(int(rect.x + place * pitch + 12 * scale), rect.y, int(pitch - 24 * scale), rect.height)
        marks += _colour_bar(bar, area, ink, scale)
    return marks


def _colour_bar(bar: ColourBar, rect: Rect, ink: Colour, scale: float) -> list[Mark]:
    shading = bar.shading
    title = shortened(bar.name, f" ({bar.unit})" if bar.unit else "", rect.width, 11.5 * scale)
    top, height = rect.y + 22 * scale, 11 * scale
    marks: list[Mark] = [
        Text(rect.x, rect.y + 5 * scale, title, 11.5 * scale, ink, "left", "top"),
    ]
    values = bar_values(shading, 96)
    width = rect.width / len(values)
    for n, colour in enumerate(bar_colours(shading, values)):
        marks.append(Box(rect.x + n * width, top, width, height, colour))
    for value, place in bar_ticks(shading):
        x = rect.x + place * rect.width
        across = "left" if place < 0.02 else "right" if place > 0.98 else "centre"
        marks.append(Text(x, top + height + 3 * scale, number(value), 10.5 * scale, ink, across, "top"))
    return marks


def shortened(name: str, rest: str, width: float, size: float) -> str:
    """A name and what must stay readable after it, in one line; cut in the middle of the name where it is too long.

    Both ends of a file's name tell: whose it is and what it is.
    """
    room = max(5, int(width / (0.56 * size)) - len(rest))
    if len(name) > room:
        end = (room - 1) * 2 // 3
        name = f"{name[: room - 1 - end]}…{name[-end:]}"
    return name + rest


def bar_values(shading: Shading, steps: int) -> NDArray[np.float64]:
    """Values along the bar from left to right."""
    if shading.negative is None:
        return np.linspace(shading.low, shading.high, steps)
    return np.linspace(-shading.negative_high, shading.high, steps)


def bar_colours(shading: Shading, values: NDArray[np.float64]) -> list[Colour]:
    """Colours of values as the slices show them; grey where the threshold hides."""
    colours: list[Colour] = []
    for value in values:
        below = shading.negative is not None and value < 0
        size = -value if below else value
        limit = shading.negative_threshold if below else shading.threshold
        table = shading.positive
        low, high = shading.low, shading.high
        if below and shading.negative is not None:
            table, low, high = shading.negative, shading.negative_low, shading.negative_high
        level = int(min(max((size - low) / max(high - low, 1e-30) * 255 + 0.5, 0), 255))
        red, green, blue = (int(c) for c in table[level])
        if size < limit:
            shown = (size / limit) ** 2 if shading.fade and size > 0 else 0.0
            red, green, blue = (int(c * shown + 70 * (1 - shown)) for c in (red, green, blue))
        colours.append((red, green, blue))
    return colours


def bar_ticks(shading: Shading) -> list[tuple[float, float]]:
    """(value, place from 0 to 1) of the numbers under the bar: its ends, zero, the thresholds."""
    first = shading.low if shading.negative is None else -shading.negative_high
    span = max(shading.high - first, 1e-30)
    wanted = [first, shading.high]
    if shading.negative is not None:
        wanted.append(0.0)
        if math.isfinite(shading.negative_threshold):
            wanted.append(-shading.negative_threshold)
    if math.isfinite(shading.threshold):
        wanted.append(shading.threshold)
    ticks: list[tuple[float, float]] = []
    for value in wanted:
        place = (value - first) / span
        if 0 <= place <= 1 and all(abs(place - other) > 0.13 for _, other in ticks):
            ticks.append((value, place))
    return sorted(ticks, key=lambda tick: tick[1])
