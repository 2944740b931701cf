"""What holds for every widget: names, tool tips, keyboard, themes, nothing left behind."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
import pytest
import shiboken6
from habena.widgets.canvas import Canvas
from habena.widgets.cursor_panel import CursorPanel, RegionLine, ValueLine
from habena.widgets.curve import Curve, Quality
from habena.widgets.draw_panel import DrawPanel
from habena.widgets.finder import Finder
from habena.widgets.job_bar import Job, JobBar
from habena.widgets.layer_list import LayerList
from habena.widgets.layer_panel import LayerPanel
from habena.widgets.layer_row import LayerRow
from habena.widgets.layer_settings import ColourChoice, LayerModulation, LayerSettings
from habena.widgets.lightbox_bar import LightboxBar
from habena.widgets.notice_bar import Notice, NoticeBar
from habena.widgets.picture_dialog import PictureDialog
from habena.widgets.range_values import RangeValues
from habena.widgets.seed_panel import SeedPanel
from habena.widgets.seed_settings import SeedSettings
from habena.widgets.surface_panel import RegionMesh, SurfacePanel
from habena.widgets.theme import DARK, LIGHT, apply_theme
from habena.widgets.time_course import TimeCourse
from habena.widgets.value_model import Column
from habena.widgets.value_table import ValueTable
from habena.widgets.welcome import Welcome
from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractScrollArea, QApplication, QComboBox, QLabel, QScrollBar, QWidget

GREY = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
X = np.arange(20.0)


def layer_list() -> QWidget:
    widget = LayerList()
    widget.set_rows([LayerRow(1, "Map", "r", badge="live"), LayerRow(2, "T1")], 1)
    return widget


def layer_panel() -> QWidget:
    widget = LayerPanel()
    widget.set_choices([ColourChoice("grey", "Grey", "sequential", GREY), ColourChoice("b", "B", "sequential", GREY)])
    widget.set_layers([(2, "T1")])
    two = RangeValues(0, 1, 0.2, 0, 1, 0.2, two_sided=True)
    modulation = LayerModulation(2)
    widget.set_settings(LayerSettings("scalar", "r", colours="grey", negative="b", values=two, n_frames=5,
                                      modulation=modulation))  # fmt: skip
    return widget


def cursor_panel() -> QWidget:
    widget = CursorPanel()
    widget.set_values([ValueLine("Map", 0.5, "r")])
    widget.set_regions([RegionLine("AAL2", "Thalamus L", 0.5, "note")], "note")
    return widget


def value_table() -> QWidget:
    widget = ValueTable("Clusters", [Column("Region"), Column("Size", "mm³", "integer")], has_filter=True)
    widget.set_rows([("Thalamus", 5)])
    return widget


def time_course() -> QWidget:
    widget = TimeCourse()
    widget.set_curves([Curve("run", X, X)], "Time (s)")
    widget.set_quality(Quality(X, X, X, 0.5))
    widget.set_carpet(np.zeros((4, 20), np.float32), X, "Voxels")
    return widget


def seed_panel() -> QWidget:
    widget = SeedPanel()
    widget.set_runs([(1, "rest")])
    widget.set_confounds(["csf"], [("Tissue", ("csf",))])
    widget.set_settings(SeedSettings(1, "sphere", band_hz=(0.02, 0.3), confounds="c.tsv", brain="m.nii"))
    return widget


def draw_panel() -> QWidget:
    widget = DrawPanel()
    widget.set_report("5 voxels", has_mask=True)
    return widget


def surface_panel() -> QWidget:
    widget = SurfacePanel()
    widget.set_regions([RegionMesh(1, "Habenula L", (255, 0, 0))])
    return widget


def job_bar() -> QWidget:
    widget = JobBar()
    widget.set_jobs([Job(1, "Loading", 0.5), Job(2, "Waiting")])
    return widget


def notice_bar() -> QWidget:
    widget = NoticeBar()
    widget.set_notices([Notice("error", "Broken", ("Mend",)), Notice("info", "Hello")])
    return widget


def welcome() -> QWidget:
    widget = Welcome()
    widget.set_recent([("T1.nii", "/data")])
    return widget


def picture_dialog() -> QWidget:
    return PictureDialog((900, 700))


MAKERS = (
    layer_list,
    layer_panel,
    cursor_panel,
    value_table,
    time_course,
    seed_panel,
    draw_panel,
    surface_panel,
    job_bar,
    notice_bar,
    welcome,
    picture_dialog,
    LightboxBar,
    Finder,
)
EVERY = pytest.mark.parametrize("make", MAKERS, ids=[make.__name__ for make in MAKERS])


def interactive(widget: QWidget) -> list[QWidget]:
    """Everything that takes the keyboard's focus, without the inner parts of Qt's own controls."""
    return [
        part
        for part in (widget, *widget.findChildren(QWidget))
        if part.focusPolicy() & Qt.FocusPolicy.TabFocus
        and part.focusProxy() is None
        and not isinstance(part, QScrollBar)
        and not any(isinstance(outer, (QComboBox, QAbstractScrollArea)) for outer in _ancestors(part))
    ]


def _ancestors(part: QWidget) -> Iterator[QWidget]:
    outer = part.parentWidget()
    while outer is not None:
        yield outer
        outer = outer.parentWidget()


@EVERY
def test_every_control_has_a_name_and_a_tool_tip(make: Callable[[], QWidget], shown) -> None:
    widget = shown(make())
    parts = interactive(widget)
    assert parts
    for part in parts:
        assert part.accessibleName(), part
        if not isinstance(part, (QLabel, QAbstractScrollArea)) and part is not widget:
            assert part.toolTip(), part.accessibleName()


@EVERY
def test_tab_reaches_every_control_from_top_to_bottom(make: Callable[[], QWidget], shown) -> None:
    widget = shown(make(), (340, 900))
    wanted = {
        part for part in interactive(widget) if part.isVisible() and part.isEnabled() and not isinstance(part, QLabel)
    }
    first = next(iter(sorted(wanted, key=lambda part: part.mapTo(widget, part.rect().topLeft()).toTuple()[::-1])))
    first.setFocus(Qt.FocusReason.TabFocusReason)
    walked: list[QWidget] = []
    for _ in range(60):
        current = QApplication.focusWidget()
        if current in walked:
            break
        walked.append(current)
        QTest.keyClick(current, Qt.Key.Key_Tab)
    assert not [part.accessibleName() for part in wanted - set(walked) if not _in_group(part)]
    bottoms = [part.mapTo(widget, part.rect().bottomLeft()).y() for part in walked if part in wanted]
    wraps = [one for one, other in pairwise(bottoms) if other < one - 60]
    assert len(wraps) <= 1  # from the last to the first


def _in_group(part: QWidget) -> bool:
    """One of several exclusive buttons, which arrow keys walk."""
    group = getattr(part, "group", lambda: None)()
    return group is not None and group.exclusive()


@EVERY
def test_a_change_of_theme_reaches_everything(make: Callable[[], QWidget], shown, qapp: QApplication) -> None:
    widget = shown(make(), (340, 500))
    apply_theme(qapp, "light")
    qapp.processEvents()
    switched = widget.grab().toImage()
    fresh = shown(make(), (340, 500)).grab().toImage()
    assert switched.pixelColor(3, 496).lightness() == fresh.pixelColor(3, 496).lightness()
    darkness = [sum(picture.pixelColor(x, y).lightness() < 60 for x in range(0, 340, 3) for y in range(0, 500, 3))
                for picture in (switched, fresh)]  # fmt: skip
    assert abs(darkness[0] - darkness[1]) < 200
    assert DARK.window != LIGHT.window


@EVERY
def test_nothing_is_left_behind(make: Callable[[], QWidget], shown, qapp: QApplication) -> None:
    before = set(map(id, qapp.allWidgets()))
    widget = make()
    widget.show()
    qapp.processEvents()
    parts = [weakref.ref(part) for part in widget.findChildren(QWidget)]
    widget.close()
    widget.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    qapp.processEvents()
    assert not shiboken6.isValid(widget)
    assert not any(shiboken6.isValid(part()) for part in parts if part() is not None)
    del widget
    gc.collect()
    left = [part for part in qapp.allWidgets() if id(part) not in before]
    assert not left


def test_canvas_takes_the_keyboard(shown) -> None:
    assert shown(Canvas()).focusPolicy() & Qt.FocusPolicy.TabFocus
