"""The cluster table: follows the threshold, goes there, says which regions, is saved."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from habena.app.panels import clusters
from habena.app.recipes import CrosshairSeed, FileMap, SeedCorrelation
from habena.app.settings import Settings
from habena.app.state import Colours, Overlay, Threshold, ViewState
from habena.app.window import Window
from habena.widgets.elided_label import ElidedLabel
from habena.widgets.layer_list import LayerList
from habena.widgets.layer_panel import LayerPanel
from habena.widgets.value_table import ValueTable
from panel_events import cells, choose, drag_handle, middle, open_tab, select_layer, write
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QHeaderView, QMenu, QTableView
from window_events import LEFT, named, settle, texts, wait_until
from window_files import COOL_MM, WARM_MM, OpenWindow, ball, small_grid_4mm

VOXELS = int(ball(small_grid_4mm(), WARM_MM, 9.0).sum())
HEADS = ["Sign", "Size (mm³)", "Voxels", "Peak", "x (mm)", "y (mm)", "z (mm)", "Regions"]


@pytest.fixture
def on_map(open_window: OpenWindow, stat_map: Path) -> Window:
    window = open_window(stat_map)
    open_tab(window, "clusters")
    return window


def table(window: Window) -> QTableView:
    return named(window, QTableView, "Clusters")


def rows(window: Window) -> list[list[str]]:
    return cells(table(window))


def click_row(window: Window, number: int) -> None:
    view = table(window)
    QTest.mouseClick(view.viewport(), LEFT, pos=view.visualRect(view.model().index(number, 3)).center())
    settle(window)


def test_clusters_of_both_signs_are_listed_and_follow_the_threshold(on_map: Window) -> None:
    shown = rows(on_map)
    assert [row[:4] for row in shown] == [
        ["+", f"{64 * VOXELS}", f"{VOXELS}", "6"],
        ["\N{MINUS SIGN}", f"{64 * VOXELS}", f"{VOXELS}", "\N{MINUS SIGN}5"],
    ]
    drag_handle(on_map.findChild(LayerPanel), "Negative threshold", -400)
    settle(on_map)
    assert [row[0] for row in rows(on_map)] == ["+"]
    drag_handle(on_map.findChild(LayerPanel), "Threshold", 400)
    settle(on_map)
    assert rows(on_map) == []
    assert "No voxel beyond the threshold." in texts(on_map.dock("clusters").widget())
    write(on_map.findChild(LayerPanel), "Threshold", "1.5")  # noise joins in
    settle(on_map)
    assert len(rows(on_map)) > 3


def test_a_click_on_a_row_goes_to_its_peak(on_map: Window) -> None:
    click_row(on_map, 1)
    x, y, z = on_map.session.state.crosshair_mm
    assert all(abs(a - b) <= 9 for a, b in zip((x, y, z), COOL_MM, strict=True))
    assert rows(on_map)[1][4:7] == [f"{value:g}".replace("-", "\N{MINUS SIGN}") for value in (x, y, z)]
    assert any("\N{MINUS SIGN}5" in text for text in texts(on_map.dock("place").widget()))
    QTest.keyClick(table(on_map), Qt.Key.Key_Up)
    settle(on_map)
    assert on_map.session.state.crosshair_mm[0] > 0


def test_a_line_says_whose_clusters_beyond_which_threshold(on_map: Window) -> None:
    def line() -> str:
        return on_map.dock("clusters").widget().findChild(ElidedLabel).whole()

    assert line() == "Clusters of sub-01_space-MNI152NLin6Asym_tstat, |t| > 3.1: 2"
    write(on_map.findChild(LayerPanel), "Negative threshold", "4")
    settle(on_map)
    assert line() == "Clusters of sub-01_space-MNI152NLin6Asym_tstat, t > 3.1 or < \N{MINUS SIGN}4: 2"
    write(on_map.findChild(LayerPanel), "Threshold", "")
    settle(on_map)
    assert line() == ""


def test_a_click_on_a_cluster_of_a_live_map_moves_the_seed_as_the_line_says(
    open_window: OpenWindow, run_4d: Path
) -> None:
    seed = SeedCorrelation(FileMap(str(run_4d)), CrosshairSeed())
    colours = Colours("warm", 0.3, 0.8, "cool", 0.3, 0.8)
    layers = (Overlay(1, seed.run, "run"), Overlay(2, seed, "my seed", colours, Threshold(0.3, 0.3)))
    window = open_window(view=ViewState(crosshair_mm=(-33.0, -33.0, 3.0), overlays=layers, selected=2))
    panel = open_tab(window, "clusters")
    line = panel.findChild(ElidedLabel).whole()
    assert line.startswith(f"Clusters of my seed, |r| > 0.3: {len(rows(window))}. A click moves the seed too")
    peak = rows(window)[1][4:7]
    assert peak != rows(window)[0][4:7]
    click_row(window, 1)
    assert [row[4:7] for row in rows(window) if row[3] == "1"] == [peak]  # clusters of the map of that very seed


def test_fewer_neighbours_make_more_clusters(on_map: Window) -> None:
    write(on_map.findChild(LayerPanel), "Threshold", "1")
    settle(on_map)
    by_corners = len(rows(on_map))
    choose(on_map.dock("clusters").widget(), "Joined by", "faces")
    settle(on_map)
    assert len(rows(on_map)) > by_corners


def test_a_layer_without_a_threshold_says_why_there_are_no_clusters(on_map: Window, anatomy: Path) -> None:
    on_map.open([str(anatomy)])
    settle(on_map)
    write(on_map.findChild(LayerPanel), "Threshold", "")
    settle(on_map)
    assert rows(on_map) == []
    assert "Set a threshold to see clusters." in texts(on_map.dock("clusters").widget())
    select_layer(on_map, 1)
    assert len(rows(on_map)) == 2


def test_every_number_fits_its_column_and_the_words_take_the_room(on_map: Window) -> None:
    write(on_map.findChild(LayerPanel), "Threshold", "0.01")  # one huge cluster: longer numbers than before
    settle(on_map)
    view = table(on_map)
    assert [view.model().headerData(n, Qt.Orientation.Horizontal) for n in range(8)] == HEADS
    for column in range(7):
        assert view.columnWidth(column) >= view.sizeHintForColumn(column)
        assert view.columnWidth(column) >= view.horizontalHeader().sectionSizeHint(column)
    assert view.columnWidth(0) < 100
    assert view.columnWidth(7) == max(view.columnWidth(column) for column in range(8))
    assert view.horizontalHeader().length() == view.viewport().width()
    assert view.horizontalHeader().sectionResizeMode(0) == QHeaderView.ResizeMode.Interactive


def test_a_row_says_which_share_lies_in_which_region(open_window: OpenWindow, stat_map: Path) -> None:
    window = open_window(stat_map, settings=Settings(theme="dark", atlases=("aal2",)))
    open_tab(window, "clusters")
    warm, cool = (row[7] for row in rows(window))
    assert " R " in warm
    assert "%" in warm
    assert " L " not in warm
    assert " L " in cool


def test_the_table_is_saved_in_full_precision(on_map: Window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "clusters.tsv"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    whole = next(widget for widget in on_map.findChildren(ValueTable) if table(on_map) in widget.children())
    at = QPoint(20, 60)
    QApplication.sendEvent(whole, QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, whole.mapToGlobal(at)))
    menu = whole.findChild(QMenu)
    next(action for action in menu.actions() if action.text() == "Save as TSV…").trigger()
    menu.close()
    settle(on_map)
    head, first, second = path.read_text(encoding="utf-8").splitlines()
    assert head.split("\t") == HEADS
    assert float(first.split("\t")[1]) == pytest.approx(64 * VOXELS)
    assert first.split("\t")[2:4] == [f"{VOXELS}", "6.0"]
    assert second.split("\t")[3] == "-5.0"


def test_clusters_of_a_layer_that_is_no_longer_selected_come_too_late(
    on_map: Window, anatomy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_map.open([str(anatomy)])
    settle(on_map)
    write(on_map.findChild(LayerPanel), "Threshold", "")
    select_layer(on_map, 1)
    go_on = threading.Event()
    find = clusters.clusters_of

    def slow(*question: Any) -> clusters.Found:
        go_on.wait()
        return find(*question)

    monkeypatch.setattr(clusters, "clusters_of", slow)
    write(on_map.findChild(LayerPanel), "Threshold", "2")
    wait_until(lambda: on_map.session.jobs.busy(clusters.JOB), "the search for clusters")
    layers = named(on_map, LayerList, "Layers")
    QTest.mouseClick(layers.viewport(), LEFT, pos=middle(layers, 0))
    wait_until(lambda: rows(on_map) == [], "the other layer in the table")
    go_on.set()
    settle(on_map)
    assert rows(on_map) == []
    assert "Set a threshold to see clusters." in texts(on_map.dock("clusters").widget())
