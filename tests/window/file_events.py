"""Files for a window as a user brings them: dropped, chosen in dialogs; and what the window says of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from habena.app.window import Window
from habena.widgets.layer_list import LayerList
from habena.widgets.notice_bar import _Line
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QAction, QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QMenu, QPushButton, QWidget
from window_events import named, picture, press_key, settle


def drop(window: Window, *paths: str | Path, over: QWidget | None = None) -> bool:
    """Drag files over a part of the window and let them fall, as the window system would; whether they were taken."""
    over = over or window.area
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return drop_data(window, data, over)


def drop_data(window: Window, data: QMimeData, over: QWidget) -> bool:
    at = over.mapTo(window, over.rect().center())
    copy, button, nothing = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enters = QDragEnterEvent(at, copy, data, button, nothing)
    QApplication.sendEvent(window.windowHandle(), enters)
    if not enters.isAccepted():
        return False
    falls = QDropEvent(QPointF(at), copy, data, button, nothing)
    QApplication.sendEvent(window.windowHandle(), falls)
    return falls.isAccepted()


def menu_action(window: Window, *path: str) -> QAction:
    """A command by the names of its menus, without their marks for keys."""
    actions = window.menuBar().actions()
    found: QAction | None = None
    for name in path:
        found = next((action for action in actions if action.text().replace("&", "").startswith(name)), None)
        assert found is not None, f"no {name} in {[action.text() for action in actions]}"
        menu = found.menu()
        actions = menu.actions() if isinstance(menu, QMenu) else []
    assert found is not None
    return found


def choose(window: Window, *path: str) -> None:
    action = menu_action(window, *path)
    assert action.isEnabled()
    action.trigger()


def answer_dialog(monkeypatch: pytest.MonkeyPatch, dialog: str, *paths: str | Path) -> None:
    """What the user picks in the next file dialogs of that kind; nothing when the user cancels."""
    chosen = [str(path) for path in paths]
    answers: dict[str, object] = {
        "getOpenFileNames": (chosen, ""),
        "getOpenFileName": (chosen[0] if chosen else "", ""),
        "getSaveFileName": (chosen[0] if chosen else "", ""),
        "getExistingDirectory": chosen[0] if chosen else "",
    }
    monkeypatch.setattr(QFileDialog, dialog, lambda *_, **__: answers[dialog])


# -- what is said


def layer_titles(window: Window) -> list[str]:
    """Names in the list of layers, the lowest first."""
    model = named(window, LayerList, "").model()
    return [str(model.index(n, 0).data()) for n in reversed(range(model.rowCount()))]


def notices(window: Window, level: str | None = None) -> list[str]:
    """What the notices say, all of them unfolded; those of one level."""
    bar = window.notice_bar
    if not bar.isVisible():
        return []
    unfold = next((button for button in bar.findChildren(QPushButton) if button.text().endswith(" more")), None)
    if unfold is not None and unfold.isVisible():
        QTest.mouseClick(unfold, Qt.MouseButton.LeftButton)
    QApplication.processEvents()  # lines that have just come are shown by now
    lines = [line for line in bar.findChildren(_Line) if line.isVisible()]
    chosen = [line for line in lines if level in (None, line._notice.level)]
    return [max((label.accessibleName() for label in line.findChildren(QLabel)), key=len) for line in chosen]


def errors(window: Window) -> list[str]:
    return notices(window, "error")


def press_in_notice(window: Window, text: str) -> None:
    """Press a button of a notice."""
    button = next(b for b in window.notice_bar.findChildren(QPushButton) if b.isVisible() and b.text() == text)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def one_error(window: Window, *words: str) -> str:
    """The one error that is told: one sentence on one line, with all words."""
    told = errors(window)
    assert len(told) == 1, told
    assert "\n" not in told[0]
    for word in words:
        assert word in told[0], told[0]
    return told[0]


def is_drawn(window: Window) -> bool:
    """Whether the selected layer leaves something on the slices: hiding it by its key changes the picture."""
    settle(window)
    before = picture(window.area.slices)
    press_key(window, Qt.Key.Key_V)
    settle(window)
    without = picture(window.area.slices)
    press_key(window, Qt.Key.Key_V)
    settle(window)
    return bool(np.any(before != without))


def remove_layer(window: Window) -> None:
    """Remove the selected layer by its key in the list."""
    layers = named(window, LayerList, "")
    layers.setFocus()
    QTest.keyClick(layers, Qt.Key.Key_Delete)
    settle(window)


def dismiss_all(window: Window) -> None:
    """Take all notices away, one after the other."""
    while window.notice_bar.isVisible():
        window.notice_bar.dismiss_first()
    settle(window)
