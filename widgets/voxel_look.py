"""Shapes and colours of the groups in a plot of scans, and what they mean."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import Qt

from .theme import plot_colours
from .voxel_data import VoxelData

STYLES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine, Qt.PenStyle.DashDotLine)
SYMBOLS = ("o", "s", "t1", "d")
GLYPHS = "\N{BLACK CIRCLE}\N{BLACK SQUARE}\N{BLACK UP-POINTING TRIANGLE}\N{BLACK DIAMOND}"
OUTSTANDING = 5  # colour of scans that are worth a look


def colour_of(kind: int) -> str:
    """Colour of a group's number."""
    return plot_colours()[kind % len(SYMBOLS)]


def legend(data: VoxelData) -> str:
    """Shapes and colours of the groups as rich text; with means, how many people they are of."""
    counts = {} if data.pair is None else {mean.kind: f" ({mean.n})" for mean in data.pair.means}
    return " &nbsp; ".join(
        f'<span style="color:{colour_of(kind)}">{GLYPHS[kind % len(GLYPHS)]}</span>'
        + f" {escape(name)}{counts.get(kind, '')}".replace(" ", "&nbsp;")
        for kind, name in enumerate(data.kinds)
    )
