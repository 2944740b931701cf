"""Cursor panel: coordinates, values, regions."""

from __future__ import annotations

import pytest
from habena.widgets.cursor_panel import CursorPanel, RegionLine, ValueLine
from habena.widgets.numbers import NumberEdit
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QToolButton
from widget_events import Log, child, focus


@pytest.fixture
def panel(shown) -> CursorPanel:
    widget = CursorPanel()
    widget.set_position((-3.3, -23.9, 2.7))
    widget.set_voxel((29, 34, 25), "rest run")
    widget.set_values(
        [ValueLine("Seed map", -0.43214, "r"), ValueLine("<b>T1</b>", None), ValueLine("AAL2", "Thalamus L")]
    )
    widget.set_regions([RegionLine("HO", "Thalamus L", 0.83, "small")], "AAL2 is not shown: other space")
    return shown(widget, (320, 300))


def texts(panel: CursorPanel) -> str:
    return "\n".join(label.text() for label in panel.findChildren(QLabel) if label.isVisible())


def test_typing_a_coordinate_moves(panel: CursorPanel) -> None:
    log = Log(panel)
    field = child(panel, NumberEdit, "y mm")
    focus(field)
    QTest.keyClick(field, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(field, "-52")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert log == [("moved", -3.3, -52.0, 2.7), ("settled",)]
    QTest.keyPress(field, Qt.Key.Key_Up)
    assert log[-1] == ("moved", -3.3, -51.0, 2.7)


def test_tab_order_is_x_y_z(panel: CursorPanel) -> None:
    focus(child(panel, NumberEdit, "x mm"))
    for name in ("x mm", "y mm", "z mm", "Copy"):
        assert panel.focusWidget().accessibleName() == name
        QTest.keyClick(panel.focusWidget(), Qt.Key.Key_Tab)


def test_what_is_shown(panel: CursorPanel) -> None:
    shown_text = texts(panel)
    assert "voxel 29, 34, 25  ·  rest run" in shown_text
    assert "−0.4321" in shown_text
    assert "<b>T1</b>" in shown_text
    assert "83 %" in shown_text
    assert "AAL2 is not shown: other space" in shown_text
    panel.set_voxel(None, "rest run")
    assert "outside  ·  rest run" in texts(panel)
    panel.set_regions(())
    assert "AAL2 is not" not in texts(panel)


def test_names_from_files_are_never_markup(panel: CursorPanel) -> None:
    named = next(label for label in panel.findChildren(QLabel) if label.text() == "<b>T1</b>")
    assert named.textFormat() == Qt.TextFormat.PlainText


def test_a_long_name_gives_way_and_can_be_read_in_full(panel: CursorPanel) -> None:
    name = "sub-01_task-rest_space-MNI152NLin2009cAsym_desc-preproc_bold"
    panel.set_values([ValueLine(name, 10234.2, "a.u."), ValueLine("T1", 3)])
    QApplication.processEvents()
    label = next(label for label in panel.findChildren(QLabel) if label.toolTip() == name)
    assert "…" in label.text()
    assert label.accessibleName() == name
    assert "10234" in texts(panel)
    assert panel.minimumSizeHint().width() <= 320


def test_copy(panel: CursorPanel) -> None:
    QTest.mouseClick(child(panel, QToolButton, "Copy"), Qt.MouseButton.LeftButton)
    lines = QApplication.clipboard().text().split("\n")
    assert lines[0] == "x y z mm\t−3.3 −23.9 2.7"
    assert "Seed map\t−0.4321\tr" in lines
    assert "HO\tThalamus L\t83 %\tsmall" in lines


def test_setting_is_silent(panel: CursorPanel) -> None:
    log = Log(panel)
    panel.set_position((1, 2, 3))
    panel.set_values(())
    panel.set_regions(())
    assert log == []
