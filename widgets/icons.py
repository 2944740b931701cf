"""Own line icons, painted in the text colour of the palette."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer

_SIZES = (16, 20, 24, 32, 48, 64)
_STROKES = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="{colour}" '
    'stroke-width="{width}" stroke-linecap="round" stroke-linejoin="round">{shape}</svg>'
)
_SHAPES = {
    "eye": '<path d="M2 12Q12 1 22 12Q12 23 2 12Z"/><circle cx="12" cy="12" r="3"/>',
    "eye-off": '<path d="M2 12Q12 1 22 12Q12 23 2 12Z" opacity="0.6"/><path d="M4 20L20 4"/>',
    "play": '<path d="M7 4L20 12L7 20Z"/>',
    "pause": '<path d="M8 4V20M16 4V20"/>',
    "plus": '<path d="M12 5V19M5 12H19"/>',
    "minus": '<path d="M5 12H19"/>',
    "undo": '<path d="M4 9H14A6 6 0 0 1 14 21H9"/><path d="M9 4L4 9L9 14"/>',
    "redo": '<path d="M20 9H10A6 6 0 0 0 10 21H15"/><path d="M15 4L20 9L15 14"/>',
    "target": '<circle cx="12" cy="12" r="6"/><path d="M12 2V8M12 16V22M2 12H8M16 12H22"/>',
    "pin": '<path d="M12 22Q5 14 5 9A7 7 0 0 1 19 9Q19 14 12 22Z"/><circle cx="12" cy="9" r="2.5"/>',
    "brush": '<path d="M20 3L10 13M8 13Q12 13 12 16.5Q11.500 21 3 21Q5 19 5 16.500Q5.500 13 8 13Z"/>',
    "eraser": '<path d="M9 20L3 14L14 3L21 10L11 20H9M8 9L15 16M15 20H21"/>',
    "sphere": '<circle cx="12" cy="12" r="9"/><ellipse cx="12" cy="12" rx="9" ry="3.5"/>',
    "bucket": '<path d="M4 12L12 4L20 12L12 20Z"/><path d="M4 12H20M12 4L9 1M22 15V20"/>',
    "ruler": '<path d="M3 16L16 3L21 8L8 21Z"/><path d="M7 12L9 14M10 9L13 12M13 6L15 8"/>',
    "camera": '<path d="M3 7H7L9 4H15L17 7H21V19H3Z"/><circle cx="12" cy="13" r="3.500"/>',
    "folder-open": '<path d="M3 19V5H9L11 8H19V11M3 19L6 11H22L19 19Z"/>',
    "save": '<path d="M12 3V15M7 10L12 15L17 10M4 20H20"/>',
    "layers": '<path d="M12 3L21 8L12 13L3 8Z"/><path d="M3 12L12 17L21 12M3 16L12 21L21 16"/>',
    "search": '<circle cx="10" cy="10" r="6"/><path d="M15 15L21 21"/>',
    "lock": '<path d="M5 11H19V21H5ZM8 11V7A4 4 0 0 1 16 7V11"/>',
    "unlock": '<path d="M5 11H19V21H5ZM8 11V7A4 4 0 0 1 15.500 5"/>',
    "link": '<path d="M10 8H7A4 4 0 0 0 7 16H10M14 8H17A4 4 0 0 1 17 16H14M8 12H16"/>',
    "invert": '<path d="M7 20V5M3 9L7 5L11 9M17 4V19M13 15L17 19L21 15"/>',
    "cancel": '<path d="M6 6L18 18M18 6L6 18"/>',
    "copy": '<path d="M9 9H20V20H9ZM5 15H4V4H15V5"/>',
    "info": '<circle cx="12" cy="12" r="9"/><path d="M12 11V17M12 7V7.500"/>',
    "warning": '<path d="M12 3L22 20H2Z"/><path d="M12 10V14M12 17V17.300"/>',
    "error": '<path d="M8 3H16L21 8V16L16 21H8L3 16V8Z"/><path d="M12 8V13M12 16V16.300"/>',
    "down": '<path d="M6 9L12 15L18 9"/>',
    "right": '<path d="M9 6L15 12L9 18"/>',
    "check": '<path d="M5 13L10 18L19 7"/>',
}


def names() -> tuple[str, ...]:
    """Names of all icons."""
    return tuple(_SHAPES)


def svg(name: str, colour: QColor, width: float = 1.8) -> bytes:
    """An icon as an SVG document, its lines ``width`` units of a 24-unit square wide."""
    return _STROKES.format(colour=colour.name(), width=width, shape=_SHAPES[name]).encode()


def pixmap(name: str, colour: QColor, size: QSize) -> QPixmap:
    """An icon of a size in device pixels."""
    picture = QPixmap(size)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    QSvgRenderer(QByteArray(svg(name, colour))).render(painter, QRectF(picture.rect()))
    painter.end()
    return picture


def icon(name: str, palette: QPalette | None = None) -> QIcon:
    """An icon in the text colours of a palette, by default the application's.

    It does not follow a later change of the theme; `controls.IconButton` does.
    """
    colours = QGuiApplication.palette() if palette is None else palette
    role = QPalette.ColorRole.ButtonText
    result = QIcon()
    for mode, group in (
        (QIcon.Mode.Normal, QPalette.ColorGroup.Active),
        (QIcon.Mode.Disabled, QPalette.ColorGroup.Disabled),
    ):
        for side in _SIZES:
            result.addPixmap(pixmap(name, colours.color(group, role), QSize(side, side)), mode)
    return result
