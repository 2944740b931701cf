"""Widgets are tested off-screen, with real events, and must leave nothing behind."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest
from habena.widgets.theme import apply_theme
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # read when the application starts

AnyWidget = TypeVar("AnyWidget", bound=QWidget)


@pytest.fixture(autouse=True)
def tidy(qtbot: QtBot) -> Iterator[None]:
    """No cyclic garbage collection inside Qt's event loop; no window left open by the test itself."""
    gc.disable()
    yield
    gc.enable()


@pytest.fixture(autouse=True)
def theme(qapp: QApplication) -> None:
    apply_theme(qapp, "dark")


@pytest.fixture
def shown(qtbot: QtBot) -> Callable[[AnyWidget], AnyWidget]:
    """Shows a widget as a window, and deletes it after the test."""

    kept: list[QWidget] = []  # qtbot holds them weakly

    def show(widget: AnyWidget, size: tuple[int, int] | None = None) -> AnyWidget:
        qtbot.addWidget(widget)
        kept.append(widget)
        if size is not None:
            widget.resize(*size)
        with qtbot.waitExposed(widget):
            widget.show()
        widget.activateWindow()
        QApplication.processEvents()
        return widget

    return show
