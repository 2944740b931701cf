"""The wall: scans beside one another under one crosshair, on one scale."""

from __future__ import annotations

import numpy as np
import pytest
from habena.app.actions import ACTIONS
from habena.app.recipes import FileMap
from habena.app.state import Colours, Overlay, ViewState, Wall
from habena.app.wall import cells_of, groups_of, in_cells, on_one_scale
from habena.render.layout import View, WallGrid, arrange
from habena.render.scene import Panel, Rect
from msgspec.structs import replace

SCAN, CHANGE = Colours("hot-metal", 0.0, 2.0), Colours("warm", 0.0, 0.5, "cool", 0.0, 0.5)
BOX = View((-90.0, -126.0, -72.0), (90.0, 90.0, 108.0), (10.0, -20.0, 30.0))


def layer(key: int, name: str, colours: Colours = SCAN) -> Overlay:
    return Overlay(key, FileMap(f"/{key}.nii"), name, colours)


@pytest.fixture
def state() -> ViewState:
    layers = (layer(1, "head", Colours()), layer(2, "A pre"), layer(3, "A post"), layer(4, "A change", CHANGE))
    return ViewState(overlays=layers, layout="wall", wall=Wall(((2, 3, 4),)))


def test_one_person_has_a_row_for_each_plane_and_titles_in_the_first(state):
    rows = cells_of(state)
    assert [row[0].axis for row in rows] == ["sagittal", "coronal", "axial"]
    assert [cell.title for cell in rows[0]] == ["A pre", "A post", "A change"]
    assert all(cell.title == "" for row in rows[1:] for cell in row)


def test_several_people_have_a_row_each_and_a_missing_scan_says_so(state):
    more = replace(state, wall=Wall(((2, 3, 4), (2, 0, 0))))
    rows = cells_of(more)
    assert [[cell.axis for cell in row] for row in rows] == [["axial"] * 3] * 2
    assert [cell.title for cell in rows[1]] == ["A pre", "no scan", "no scan"]


def test_a_cell_shows_its_own_scan_and_what_is_on_no_cell(state):
    panels = tuple(Panel("axial", 0.0, Rect(0, 0, 9, 9), (0.0, 0.0), 1.0) for _ in range(9))
    shown = in_cells(panels, state, keys=(1, 2, 3, 4))
    assert [panel.layers for panel in shown[:3]] == [(0, 1), (0, 2), (0, 3)]
    hidden = in_cells(panels, state, keys=(1, 3, 4))  # the first scan is switched off
    assert [panel.layers for panel in hidden[:3]] == [(0,), (0, 1), (0, 2)]


def test_panels_of_another_layout_show_all_layers(state):
    panels = (Panel("axial", 0.0, Rect(0, 0, 9, 9), (0.0, 0.0), 1.0),)
    assert in_cells(panels, replace(state, layout="ortho"), (1, 2, 3, 4)) == panels


@pytest.mark.parametrize("size", [(900, 700), (1700, 500), (301, 703)])
def test_cells_fill_the_canvas_without_overlap_at_one_scale_and_cut_at_the_crosshair(size):
    place = arrange(BOX, size, "wall", WallGrid(("sagittal", "coronal", "axial"), 3), 58)
    area = np.zeros((size[1], size[0]), int)
    for panel in place.panels:
        x, y, width, height = panel.rect
        area[y : y + height, x : x + width] += 1
    assert (area[: size[1] - 58] == 1).all()
    assert len({panel.mm_per_px for panel in place.panels}) == 1
    assert {(panel.axis, panel.position_mm) for panel in place.panels} == {
        ("sagittal", 10.0), ("coronal", -20.0), ("axial", 30.0),
    }  # fmt: skip
    for panel in place.panels:  # the whole box is in each cell
        horizontal, vertical = panel.in_plane
        assert (BOX.high_mm[horizontal] - BOX.low_mm[horizontal]) / panel.mm_per_px <= panel.rect.width
        assert (BOX.high_mm[vertical] - BOX.low_mm[vertical]) / panel.mm_per_px <= panel.rect.height


def test_scans_of_one_look_share_a_scale_and_the_difference_has_its_own(state):
    assert groups_of(state) == ((2, 3), (4,))


def test_a_change_of_one_scans_colours_is_one_of_all_on_its_scale(state):
    brighter = replace(SCAN, high=1.2)
    after = on_one_scale(state, state.with_overlay(replace(state.overlay(3), colours=brighter)))
    assert [overlay.colours for overlay in after.overlays] == [Colours(), brighter, brighter, CHANGE]


def test_a_change_of_the_anatomy_leaves_the_scans_alone(state):
    after = state.with_overlay(replace(state.overlay(1), opacity=0.3))
    assert on_one_scale(state, after) == after


def test_off_the_wall_every_layer_has_a_scale_of_its_own(state):
    before = replace(state, layout="ortho")
    after = before.with_overlay(replace(before.overlay(3), opacity=0.3))
    assert on_one_scale(before, after) == after


def test_rows_stand_upright_where_slices_are_larger_that_way():
    lying, upright = (
        arrange(BOX, size, "wall", WallGrid(("axial",) * 6, 3), 0).panels for size in ((600, 1200), (1200, 600))
    )
    assert [panel.rect.x for panel in lying[:3]] == [0, 200, 400]
    assert [panel.rect.y for panel in upright[:3]] == [0, 200, 400]
    assert len({panel.rect.x for panel in upright[:3]}) == 1
    assert upright[0].mm_per_px < 1.3 * lying[0].mm_per_px


def test_a_plane_is_chosen_for_all_cells_of_a_wall_and_all_three_come_back(state):
    coronal = next(action for action in ACTIONS if action.id == "layout-coronal")
    one = coronal.do(state)
    assert one.layout == "wall"
    assert [[cell.axis for cell in row] for row in cells_of(one)] == [["coronal"] * 3]
    assert coronal.checked(one)
    assert coronal.do(one) == state
    assert coronal.do(replace(state, layout="ortho")).layout == "coronal"
