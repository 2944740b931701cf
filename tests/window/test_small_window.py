"""Small windows and screens: everything stays within reach; panels go back to their places."""

from __future__ import annotations

from pathlib import Path

import pytest
from file_events import choose
from habena.app.session import Notice
from habena.app.settings import Settings
from habena.app.window import Window
from habena.render.compose import numpy_kernels
from habena.widgets.cursor_panel import CursorPanel
from habena.widgets.theme import apply_theme
from habena.widgets.value_lines import ValueLines
from PySide6.QtCore import QRect, Qt
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QScrollArea, QToolBar, QWidget
from window_events import named, settle
from window_files import OpenWindow

SMALL = (900, 650)


def is_in_sight(part: QWidget) -> bool:
    """Whether all of a widget shows, within every area that scrolls it."""
    return part.isVisible() and part.visibleRegion().boundingRect() == part.rect()


def is_cut(part: QWidget) -> bool:
    """Whether a widget is wider than what scrolls it."""
    return part.minimumSizeHint().width() > part.width()


@pytest.mark.parametrize("layout", ["ortho+surface", "lightbox", "axial"])
def test_the_window_can_be_900_by_650(
    open_window: OpenWindow, anatomy: Path, stat_map: Path, run_4d: Path, layout: str
) -> None:
    window = open_window(anatomy, stat_map, run_4d, size=SMALL, layout=layout)
    assert (window.width(), window.height()) == SMALL
    assert window.minimumSizeHint().width() < 880
    assert window.area.width() >= 200


def test_the_welcome_page_fits_a_small_window(open_window: OpenWindow) -> None:
    window = open_window(size=SMALL)
    assert (window.width(), window.height()) == SMALL
    inside = window.welcome.rect()
    for label in window.welcome.findChildren(QLabel):
        if label.isVisible():
            corner = label.mapTo(window.welcome, label.rect().topLeft())
            assert inside.contains(QRect(corner, label.size())), label.text()


def test_the_welcome_page_stands_in_the_middle_of_a_large_window(open_window: OpenWindow) -> None:
    window = open_window(size=(1360, 900))
    title = next(label for label in window.welcome.findChildren(QLabel) if label.text().startswith("Drop"))
    middle = title.mapTo(window.welcome, title.rect().center()).x()
    assert middle == pytest.approx(window.welcome.width() / 2, abs=2)


def test_values_at_the_crosshair_are_seen_in_a_small_window(
    open_window: OpenWindow, anatomy: Path, stat_map: Path
) -> None:
    window = open_window(anatomy, stat_map, size=SMALL, layout="ortho+surface")
    place = named(window, CursorPanel, "")
    lines = named(place, ValueLines, "Values")
    assert is_in_sight(lines)
    assert [is_in_sight(label) for label in lines.findChildren(QLabel) if label.isVisible()].count(False) == 0


def test_no_panel_is_cut_at_its_side_in_a_small_window(
    open_window: OpenWindow, anatomy: Path, stat_map: Path, run_4d: Path
) -> None:
    window = open_window(anatomy, stat_map, run_4d, size=SMALL)
    for name in ("layers", "place", "seed", "surface", "draw"):
        dock = window.dock(name)
        dock.raise_()
        settle(window)
        areas = [area for area in dock.findChildren(QScrollArea) if area.isVisible()]
        assert areas, name
        assert [area.widget().accessibleName() for area in areas if is_cut(area.widget())] == [], name


def test_a_window_is_no_larger_than_its_screen(qapp: QApplication) -> None:
    window = Window(Settings(), numpy_kernels())
    screen = window.screen().availableSize()
    assert screen.width() < 1360 or screen.height() < 900
    assert window.width() < screen.width()
    assert window.height() < screen.height()
    window.close()
    window.deleteLater()


def test_the_tool_bar_is_there_from_the_start_and_panels_do_not_move_it(qapp: QApplication) -> None:
    apply_theme(qapp, "dark")
    window = Window(Settings(), numpy_kernels())
    window.show()
    QApplication.processEvents()
    bar = window.findChild(QToolBar)
    before = bar.geometry()
    assert bar.isVisible()
    height = window.centralWidget().y()
    window.build_panels(at_once=True)
    QApplication.processEvents()
    assert bar.geometry() == before
    assert window.centralWidget().y() == height
    assert window.panels.finder.isVisible()
    assert window.panels.finder.height() == window.panels.finder.sizeHint().height()
    window.close()
    window.deleteLater()


def test_panels_that_were_moved_and_closed_go_back_to_their_places(open_window: OpenWindow, anatomy: Path) -> None:
    window = open_window(anatomy)
    choose(window, "Panels", "Reset panels")
    settle(window)
    assert window.dock("layers").width() == 310
    assert window.dock("place").width() == 330
    places = {name: window.dock(name).geometry() for name in ("layers", "place", "time")}
    window.dock("layers").close()
    window.dock("time").close()
    window.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, window.dock("place"))
    window.dock("seed").setFloating(True)
    QApplication.processEvents()
    assert window.dock("place").geometry() != places["place"]
    choose(window, "Panels", "Reset panels")
    settle(window)
    assert not window.dock("seed").isFloating()
    assert {name: window.dock(name).geometry() for name in places} == places
    assert {other.objectName() for other in window.tabifiedDockWidgets(window.dock("place"))} == {
        "seed",
        "surface",
        "draw",
        "evidence",
    }


def test_a_notice_with_many_buttons_makes_no_window_wider(open_window: OpenWindow, anatomy: Path) -> None:
    window = open_window(anatomy, size=SMALL)
    names = [f"another study of the demo {n}" for n in range(3)]
    window.tell(Notice("info", "A study.", tuple((name, lambda: None) for name in names)))
    settle(window)
    assert (window.width(), window.height()) == SMALL
    buttons = [b for b in window.notice_bar.findChildren(QPushButton) if b.text() in names and b.isVisible()]
    assert [is_in_sight(each) for each in buttons] == [True] * 3
