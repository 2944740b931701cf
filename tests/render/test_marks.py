"""What is written over pictures."""

from __future__ import annotations

from habena.render.marks import Mark, Text, colour_bars, shortened, slice_marks
from habena.render.scene import AXIS_INDEX, ColourBar, Panel, Rect, Shading, SliceScene
from habena.resources import colours

LONG = "sub-RAPIDTIDETEST_task-rest_space-MNI_desc-glm_stat-z_statmap"


def test_a_colour_bar_keeps_its_unit_and_the_end_of_its_name_when_the_name_is_long() -> None:
    bar = ColourBar(LONG, "t(18)", Shading(colours.lut("warm"), 0.0, 1.0))
    title = next(
        mark.text for mark in colour_bars((bar,), Rect(0, 0, 260, 58), (255, 255, 255), 1.0) if isinstance(mark, Text)
    )
    assert title.endswith("statmap (t(18))")
    assert title.startswith("sub-")
    assert "…" in title
    assert len(title) * 0.56 * 11.5 < 260


def test_a_name_that_fits_is_not_cut() -> None:
    assert shortened("zstat", " (z)", 200, 11.5) == "zstat (z)"


def letters_at(marks: list[Mark], panel: Panel) -> str:
    """Orientation letters inside a panel: left, right, top, bottom."""
    return "".join(
        mark.text for mark in marks if isinstance(mark, Text) and mark.bold and panel.rect.contains(mark.x, mark.y)
    )


def test_letters_stand_at_the_outer_edges_of_like_slices_and_at_every_edge_of_a_slice_alone() -> None:
    grid = [
        Panel("axial", 0.0, Rect(100 * column, 90 * row, 100, 90), (0.0, 0.0), 1.0)
        for row in (0, 1)
        for column in (0, 1, 2)
    ]
    marks = slice_marks(SliceScene((300, 180), tuple(grid)))
    assert [letters_at(marks, panel) for panel in grid] == ["LA", "A", "RA", "LP", "P", "RP"]
    three = [Panel(axis, 0.0, Rect(100 * n, 0, 100, 90), (0.0, 0.0), 1.0) for n, axis in enumerate(AXIS_INDEX)]
    marks = slice_marks(SliceScene((300, 90), tuple(three)))
    assert [letters_at(marks, panel) for panel in three] == ["PASI", "LRSI", "LRAP"]
