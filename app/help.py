"""Dialogs that tell: keys, what is missing, about."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import version

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QPlainTextEdit, QTextBrowser, QVBoxLayout, QWidget

from .actions import ACTIONS
from .finder import jumps

MOUSE = (
    ("Click or drag", "move the crosshair; a seed follows it"),
    ("Wheel", "next slice; in the lightbox scroll, in 3D zoom"),
    ("Ctrl+wheel, right drag", "zoom"),
    ("Shift+drag, middle drag", "move the picture"),
    ("Double click", "enlarge a slice, and back"),
    ("Drag in 3D", "turn the head; a click moves the crosshair"),
)
KEYS = (
    ("Arrow keys", "one voxel in the slice used last; Shift: ten"),
    ("Page up, Page down", "next slice"),
    ("Home", "fit to the window"),
    (". and ,", "next and previous scan of the study in the same place; Up and Down in its table too"),
    ("9", "wall: sessions of the selected people of the study and their difference; again: away with it"),
    ("/", "find a region; Enter goes there, Ctrl+Enter adds it as a layer"),
    ("Esc", "close a list, take back what is being typed; put a drawing tool away; dismiss a notice"),
    ("Ctrl+Z, Ctrl+Shift+Z", "undo, redo: every step can be taken back"),
    ("Ctrl+O, Ctrl+S, Ctrl+E", "open files, save the view, save a picture"),
)


def tr(text: str) -> str:
    """A text of these dialogs in the user's language."""
    return QCoreApplication.translate("Help", text)


def show_keys(parent: QWidget) -> None:
    """Every key and mouse gesture."""
    commands = [(action.keys, action.text) for action in ACTIONS if action.keys]
    regions = [(jump.key, jump.title) for jump in jumps()]
    parts = [("Mouse", MOUSE), ("Keys", KEYS), ("Commands", commands), ("Regions", regions)]
    text = "".join(f"<h3>{tr(title)}</h3>{_table(rows)}" for title, rows in parts)
    _show(parent, tr("All keys"), rich=text)


def _table(rows: Iterable[tuple[str, str]]) -> str:
    lines = "".join(
        f"<tr><td style='padding-right:18px'><b>{keys}</b></td><td>{tr(what)}</td></tr>" for keys, what in rows
    )
    return f"<table cellpadding='2'>{lines}</table>"


def show_about(parent: QWidget) -> None:
    """Version, licence, and whose work is in it."""
    from ..resources import file  # noqa: PLC0415

    head = f"Habena {version('habena')}\nBSD 3-clause licence. For research; not a medical device.\n\n"
    _show(parent, tr("About Habena"), plain=head + file("NOTICE.md").read_text("utf-8"))


def show_text(parent: QWidget, title: str, text: str) -> None:
    """A text to read and copy."""
    _show(parent, title, plain=text)


def _show(parent: QWidget, title: str, *, plain: str = "", rich: str = "") -> None:
    dialog = QDialog(parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle(title)
    if rich:
        body: QWidget = QTextBrowser()
        body.setHtml(rich)  # pyright: ignore[reportAttributeAccessIssue] - a QTextBrowser
    else:
        text = QPlainTextEdit(plain)
        text.setReadOnly(True)
        text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        body = text
    body.setAccessibleName(title)
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.reject)
    layout = QVBoxLayout(dialog)
    layout.addWidget(body)
    layout.addWidget(buttons)
    dialog.resize(760, 560)
    dialog.open()
