"""What stands where in each layout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from habena.app.state import Lightbox, ViewState
from habena.app.window import Window
from msgspec.structs import replace
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QImage
from window_events import LEFT, NOTHING_HELD, click, drag, mouse, picture, pixel_of, press_key, settle, wheel
from window_files import BLOB_MM, HEAD, OpenWindow, save, small_grid_4mm

LIGHTBOX = Lightbox("axial", rows=2, columns=3, spacing_mm=8.0)
SLICES_OF = {
    Qt.Key.Key_1: ["coronal", "sagittal", "axial"],
    Qt.Key.Key_2: ["sagittal", "coronal", "axial"],
    Qt.Key.Key_3: ["sagittal"],
    Qt.Key.Key_4: ["coronal"],
    Qt.Key.Key_5: ["axial"],
    Qt.Key.Key_7: [],
    Qt.Key.Key_8: [],
}


def slices(window: Window) -> list[str]:
    return [panel.axis for panel in window.slice_view.arrangement.panels]


def positions(window: Window) -> list[float]:
    return [panel.position_mm for panel in window.slice_view.arrangement.panels]


def double_click(window: Window, at: tuple[float, float]) -> None:
    click(window.area.slices, at)
    mouse(window.area.slices, QEvent.Type.MouseButtonDblClick, at, LEFT, NOTHING_HELD)
    mouse(window.area.slices, QEvent.Type.MouseButtonRelease, at, LEFT, NOTHING_HELD)
    settle(window)


def test_the_keys_1_to_8_choose_the_layout_and_only_those_with_a_3d_view_show_it(
    open_window: OpenWindow, anatomy: Path
) -> None:
    window = open_window(anatomy)
    for key, expected in SLICES_OF.items():
        press_key(window, key)
        settle(window)
        assert sorted(slices(window)) == sorted(expected)
        assert window.area.surface.isVisible() == (key in (Qt.Key.Key_1, Qt.Key.Key_7, Qt.Key.Key_8))
    press_key(window, Qt.Key.Key_6)
    settle(window)
    assert slices(window) == ["axial"] * 24
    assert not window.area.surface.isVisible()


def test_the_3d_view_fills_the_place_that_the_slices_leave_and_covers_none_of_them(
    open_window: OpenWindow, anatomy: Path
) -> None:
    window = open_window(anatomy, layout="ortho+surface")
    place = window.area.surface.geometry()
    for panel in window.slice_view.arrangement.panels:
        x, y, width, height = panel.rect
        assert not place.intersects(QImage(width, height, QImage.Format.Format_Mono).rect().translated(x, y))
    shown = picture(window.area.surface)
    assert (shown.max(axis=-1) > 60).mean() > 0.1  # a brain is in it


def test_all_slices_of_a_layout_have_the_same_scale(open_window: OpenWindow, anatomy: Path) -> None:
    window = open_window(anatomy)
    for key in (Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_6):
        press_key(window, key)
        settle(window)
        assert len({float(panel.mm_per_px) for panel in window.slice_view.arrangement.panels}) == 1


def test_a_bar_that_comes_or_goes_does_not_change_what_stands_where(open_window: OpenWindow, anatomy: Path) -> None:
    window = open_window(anatomy, layout="ortho+surface")

    def columns(height: int) -> int:
        place = window.session.scenes.arrangement(window.session.state, window.session.shown(), (900, height), 1.0)
        return len({panel.rect.x for panel in place.panels})

    assert {columns(height) for height in range(480, 1000, 20)} == {2}
    assert columns(250) == 3


def test_the_view_holds_all_of_a_larger_anatomy_that_came_second(open_window: OpenWindow, tmp_path: Path) -> None:
    small, large = small_grid_4mm(), np.diag([6.0, 6.0, 6.0, 1.0])
    large[:3, 3] = [-57, -69, -63]
    paths = []
    for name, affine in (("small_T1w", small.affine), ("large_T2w", large)):
        values = np.zeros(small.shape, np.float32)
        values[1:-1, 1:-1, 1:-1] = HEAD
        paths.append(save(tmp_path / f"{name}.nii", values, affine))
    window = open_window(*paths)
    for panel in window.slice_view.arrangement.panels:
        for corner in ((-50.0, -62.0, -56.0), (50.0, 62.0, 56.0)):
            x, y = panel.px_of(corner)
            assert panel.rect.contains(x, y), panel.axis


# -- the lightbox


@pytest.fixture
def lightbox(open_window: OpenWindow, anatomy: Path) -> Window:
    return open_window(anatomy, view=ViewState(lightbox=LIGHTBOX, crosshair_mm=(0.0, 0.0, 1.0)), layout="lightbox")


def test_a_lightbox_has_rows_and_columns_of_slices_so_many_mm_apart_one_of_them_at_the_crosshair(
    lightbox: Window,
) -> None:
    panels = lightbox.slice_view.arrangement.panels
    assert len(panels) == 6
    assert np.diff(positions(lightbox)).tolist() == [8.0] * 5
    assert 1.0 in positions(lightbox)
    assert [panel.rect.y == panels[0].rect.y for panel in panels] == [True] * 3 + [False] * 3
    assert [panel.rect.x == panels[0].rect.x for panel in panels] == [True, False, False] * 2


def test_each_slice_of_a_lightbox_shows_what_is_at_its_place(lightbox: Window) -> None:
    shown = picture(lightbox.area.slices)
    for panel in lightbox.slice_view.arrangement.panels:
        x, y = panel.px_of(BLOB_MM)
        is_bright = shown[int(y), int(x)].min() > 200
        assert is_bright == (abs(panel.position_mm - BLOB_MM[2]) < 10.0)


def test_the_wheel_over_a_lightbox_turns_to_the_next_slices(lightbox: Window) -> None:
    before = positions(lightbox)
    wheel(lightbox.area.slices, (50, 50), 1)
    settle(lightbox)
    assert positions(lightbox) == [position + 8.0 for position in before]


def test_a_click_in_a_lightbox_goes_to_the_slice_that_was_clicked(lightbox: Window) -> None:
    panel = lightbox.slice_view.arrangement.panels[4]
    x, y = panel.px_of((7.0, -9.0, panel.position_mm))
    click(lightbox.area.slices, (x, y))
    settle(lightbox)
    assert lightbox.session.state.crosshair_mm == pytest.approx((7.0, -9.0, panel.position_mm), abs=1.0)
    assert panel.position_mm in positions(lightbox)


def test_dragging_in_a_lightbox_leaves_its_slices_where_they_are(lightbox: Window) -> None:
    before = positions(lightbox)
    panel = lightbox.slice_view.arrangement.panels[5]
    drag(lightbox.area.slices, *(panel.px_of((x, x, panel.position_mm)) for x in range(-10, 12, 4)))
    settle(lightbox)
    assert positions(lightbox) == before


def test_a_lightbox_can_cut_another_way_and_start_at_a_given_place(open_window: OpenWindow, anatomy: Path) -> None:
    box = replace(LIGHTBOX, axis="coronal", first_mm=-20.0)
    window = open_window(anatomy, view=ViewState(lightbox=box), layout="lightbox")
    assert slices(window) == ["coronal"] * 6
    assert positions(window) == [-20.0, -12.0, -4.0, 4.0, 12.0, 20.0]


# -- enlarging


def test_a_double_click_enlarges_a_slice_and_another_one_brings_the_layout_back(
    open_window: OpenWindow, anatomy: Path
) -> None:
    window = open_window(anatomy)
    for key in (Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_6):
        press_key(window, key)
        settle(window)
        before, layout = slices(window), window.session.state.layout
        double_click(window, pixel_of(window, "axial", (5.0, 5.0, 0.0)))
        assert slices(window) == ["axial"]
        assert window.session.state.crosshair_mm[:2] == pytest.approx((5.0, 5.0), abs=1.0)
        double_click(window, pixel_of(window, "axial", (5.0, 5.0, 0.0)))
        assert slices(window) == before
        assert window.session.state.layout == layout
