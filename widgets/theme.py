"""One look for the whole program, dark or light: palette, a small style sheet, colours of curves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, Qt, QTemporaryDir
from PySide6.QtGui import QColor, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from ..resources import fonts
from . import icons

Mode = Literal["dark", "light", "system"]

FONT_PT = 10
OKABE_ITO = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
"""Colours that people with any colour vision tell apart (Okabe and Ito 2008, https://jfly.uni-koeln.de/color/)."""
CURVE_CONTRAST = 4.5
"""Least contrast of a curve, which is as thin as a letter, with what is behind it (WCAG 2.2, 1.4.3)."""


@dataclass(frozen=True)
class Look:
    """Colours of a theme, neutral greys so that they do not tint the judgement of an image."""

    window: str
    base: str
    button: str
    hover: str
    border: str
    text: str
    muted: str
    disabled: str
    accent: str
    on_accent: str
    chosen: str
    warning: str
    error: str


DARK = Look(
    window="#262626",
    base="#1b1b1b",
    button="#353535",
    hover="#424242",
    border="#4d4d4d",
    text="#e8e8e8",
    muted="#a8a8a8",
    disabled="#757575",
    accent="#5aa9f0",
    on_accent="#0e1a26",
    chosen="#1f3a54",
    warning="#f0b95a",
    error="#ff8a7a",
)
LIGHT = Look(
    window="#f2f2f2",
    base="#ffffff",
    button="#fbfbfb",
    hover="#e4e4e4",
    border="#bdbdbd",
    text="#1c1c1c",
    muted="#5f5f5f",
    disabled="#9c9c9c",
    accent="#1b69b6",
    on_accent="#ffffff",
    chosen="#cfe3f7",
    warning="#8a5a00",
    error="#b3261e",
)


def is_dark(palette: QPalette | None = None) -> bool:
    """Whether text is lighter than what it stands on, in a palette or the application's."""
    colours = QGuiApplication.palette() if palette is None else palette
    return colours.windowText().color().lightness() > colours.window().color().lightness()


def look() -> Look:
    """Colours of the theme in use."""
    return DARK if is_dark() else LIGHT


def contrast(one: QColor, other: QColor) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: QColor) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour.getRgbF()[:3]]  # pyright: ignore[reportIndexIssue] - a tuple, which the stub calls object
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def plot_colours(background: QColor | None = None) -> tuple[str, ...]:
    """Colours of curves, in this order, each told apart from the background.

    Okabe and Ito's, darkened or lightened where they are too near the background to be seen.
    """
    behind = QGuiApplication.palette().base().color() if background is None else background
    return tuple(_readable(QColor(colour), behind).name() for colour in OKABE_ITO)


def _readable(colour: QColor, behind: QColor) -> QColor:
    while contrast(colour, behind) < CURVE_CONTRAST:
        nearer = colour.lighter(106) if behind.lightness() < 128 else colour.darker(106)
        colour = QColor(nearer.name())  # as it will be written
    return colour


def palette(colours: Look) -> QPalette:
    """A theme as a palette."""
    role = QPalette.ColorRole
    result = QPalette()
    for where, colour in (
        (role.Window, colours.window),
        (role.WindowText, colours.text),
        (role.Base, colours.base),
        (role.AlternateBase, colours.window),
        (role.Text, colours.text),
        (role.Button, colours.button),
        (role.ButtonText, colours.text),
        (role.BrightText, colours.error),
        (role.Light, colours.hover),
        (role.Midlight, colours.hover),
        (role.Mid, colours.border),
        (role.Dark, colours.border),
        (role.Shadow, colours.border),
        (role.ToolTipBase, colours.button),
        (role.ToolTipText, colours.text),
        (role.PlaceholderText, colours.muted),
        (role.Highlight, colours.accent),
        (role.HighlightedText, colours.on_accent),
        (role.Accent, colours.accent),
        (role.Link, colours.accent),
        (role.LinkVisited, colours.accent),
    ):
        result.setColor(where, QColor(colour))
    for where in (role.WindowText, role.Text, role.ButtonText, role.HighlightedText):
        result.setColor(QPalette.ColorGroup.Disabled, where, QColor(colours.disabled))
    result.setColor(QPalette.ColorGroup.Disabled, role.Highlight, QColor(colours.border))
    return result


_STYLE = """
QToolTip {{ color: {text}; background: {button}; border: 1px solid {border}; padding: 4px 6px; }}
QLineEdit, QComboBox, QPushButton {{
  border: 1px solid {border}; border-radius: 4px; padding: 3px 7px; min-height: 18px; }}
QLineEdit, QComboBox {{ background: {base}; selection-background-color: {accent}; selection-color: {on_accent}; }}
QLineEdit:hover, QComboBox:hover {{ border-color: {muted}; }}
QLineEdit[wrong="true"] {{ border-color: {error}; color: {error}; }}
QLabel[wrong="true"] {{ color: {error}; }}
QPushButton {{ background: {button}; padding: 3px 12px; }}
QPushButton:hover {{ background: {hover}; }}
QPushButton:pressed, QPushButton:checked {{ background: {chosen}; }}
QPushButton:default {{ background: {accent}; border-color: {accent}; color: {on_accent}; }}
QPushButton:disabled {{ background: transparent; color: {disabled}; }}
QToolButton {{ border: 1px solid transparent; border-radius: 4px; padding: 3px; }}
QToolButton:hover {{ background: {hover}; }}
QToolButton:pressed, QToolButton:checked {{ background: {chosen}; }}
QLineEdit:focus {{ border: 2px solid {accent}; padding: 2px 6px; }}
QComboBox:focus {{ border: 2px solid {accent}; }}
QPushButton:focus {{ border: 2px solid {accent}; padding: 2px 11px; }}
QPushButton:default:focus {{ border: 2px solid {text}; }}
QToolButton::menu-indicator {{ image: none; }}
QToolButton[heading="true"] {{ padding-left: 0; }}
QToolButton[heading="true"]:checked {{ background: transparent; }}
QToolButton[heading="true"]:hover {{ background: {hover}; }}
QToolButton:focus {{ border: 2px solid {accent}; padding: 2px; }}
QLineEdit:disabled, QComboBox:disabled {{ color: {disabled}; background: {window}; }}
QComboBox::drop-down {{ border: none; width: 20px; }}
QComboBox::down-arrow {{ image: url("{down}"); width: 12px; height: 12px; }}
QCheckBox, QRadioButton {{ spacing: 6px; padding: 2px; border: 2px solid transparent; border-radius: 4px; }}
QCheckBox:focus, QRadioButton:focus {{ border-color: {accent}; }}
QCheckBox::indicator, QAbstractItemView::indicator {{
  width: 14px; height: 14px; border: 1px solid {muted}; border-radius: 3px; background: {base}; }}
QCheckBox::indicator:checked, QAbstractItemView::indicator:checked {{
  background: {accent}; border-color: {accent}; image: url("{check}"); }}
QCheckBox::indicator:disabled {{ border-color: {border}; background: {window}; }}
QSlider {{ background: transparent; min-height: 20px; border: 2px solid transparent; border-radius: 4px; }}
QSlider:focus {{ border-color: {accent}; }}
QSlider::groove:horizontal {{ height: 4px; border-radius: 2px; background: {border}; }}
QSlider::sub-page:horizontal {{ height: 4px; border-radius: 2px; background: {accent}; }}
QSlider::add-page:horizontal {{ background: transparent; }}
QSlider::handle:horizontal {{ width: 12px; height: 12px; margin: -4px 0; border-radius: 6px; background: {text}; }}
QSlider::sub-page:horizontal:disabled, QSlider::handle:horizontal:disabled {{ background: {disabled}; }}
QAbstractItemView {{ background: {base}; border: 1px solid {border}; border-radius: 4px; outline: none;
  selection-background-color: {chosen}; selection-color: {text}; }}
QListView::item {{ padding: 3px 4px; }}
QListView::item:selected {{ background: {chosen}; color: {text}; }}
QAbstractItemView:focus {{ border: 2px solid {accent}; }}
QComboBox QAbstractItemView {{ border-radius: 0; padding: 2px; }}
QHeaderView {{ background: {base}; border: none; border-radius: 0; }}
QHeaderView::section {{ background: {window}; color: {text}; border: none; border-bottom: 1px solid {border};
  border-right: 1px solid {border}; padding: 3px 4px; }}
QTableView {{ gridline-color: transparent; }}
QScrollArea {{ border: none; background: transparent; }}
QScrollBar {{ background: transparent; border: none; margin: 0; }}
QScrollBar:vertical {{ width: 10px; }}
QScrollBar:horizontal {{ height: 10px; }}
QScrollBar::handle {{ background: {border}; border-radius: 4px; margin: 1px; }}
QScrollBar::handle:vertical {{ min-height: 24px; }}
QScrollBar::handle:horizontal {{ min-width: 24px; }}
QScrollBar::handle:hover {{ background: {disabled}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QProgressBar {{ background: {border}; border: none; border-radius: 3px; max-height: 6px; }}
QProgressBar::chunk {{ background: {accent}; border-radius: 3px; }}
QMenu {{ background: {base}; border: 1px solid {border}; padding: 4px; }}
QMenu::item {{ padding: 4px 24px 4px 12px; border-radius: 3px; }}
QMenu::item:selected {{ background: {chosen}; }}
QMenu::item:disabled {{ color: {disabled}; }}
QMenu::separator {{ height: 1px; background: {border}; margin: 4px 6px; }}
QMenuBar::item:selected {{ background: {hover}; border-radius: 3px; }}
QTabBar::tab {{ padding: 5px 12px; border: none; border-bottom: 2px solid transparent; color: {muted}; }}
QTabBar::tab:selected {{ color: {text}; border-bottom-color: {accent}; }}
QTabBar::tab:focus {{ background: {hover}; }}
QTabWidget::pane {{ border: none; border-top: 1px solid {border}; }}
QDockWidget::title {{ background: {window}; padding: 5px 8px; }}
QMainWindow::separator {{ background: {border}; width: 1px; height: 1px; margin: 2px; }}
QSplitter::handle {{ background: {border}; }}
QSplitter::handle:horizontal {{ width: 1px; margin: 0 2px; }}
QSplitter::handle:vertical {{ height: 1px; margin: 2px 0; }}
QStatusBar::item {{ border: none; }}
QFrame[ring="true"] {{ border: 2px solid transparent; border-radius: 4px; }}
QFrame[ring="true"]:focus {{ border-color: {accent}; }}
"""


def style_sheet(colours: Look, pictures: Path) -> str:
    """A theme as a style sheet; its two small pictures are written into a folder.

    A style sheet can name a picture only as a file.
    """
    files: dict[str, str] = {}
    for name, colour in (("down", colours.text), ("check", colours.on_accent)):
        path = pictures / f"{name}{colour}.svg".replace("#", "-")
        path.write_bytes(icons.svg(name, QColor(colour), width=3))
        files[name] = path.as_posix()
    return _STYLE.format(**vars(colours), **files)


class _Theme(QObject):
    """Keeps the look of an application, and its pictures as long as the application lives."""

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self._app = app
        self._pictures = QTemporaryDir()
        self._shown: Look | None = None
        self._mode: Mode = "system"
        app.setStyle("Fusion")
        _set_font(app)
        app.styleHints().colorSchemeChanged.connect(self._follow)

    def show(self, mode: Mode) -> None:
        self._mode = mode
        scheme = {"dark": Qt.ColorScheme.Dark, "light": Qt.ColorScheme.Light, "system": Qt.ColorScheme.Unknown}[mode]
        self._app.styleHints().setColorScheme(scheme)
        self._follow(self._app.styleHints().colorScheme())

    def _follow(self, scheme: Qt.ColorScheme) -> None:
        is_dark = scheme == Qt.ColorScheme.Dark if self._mode == "system" else self._mode == "dark"
        wanted = DARK if is_dark else LIGHT
        if wanted is not self._shown:
            self._shown = wanted
            self._app.setPalette(palette(wanted))
            self._app.setStyleSheet(style_sheet(wanted, Path(self._pictures.path())))


def _set_font(app: QApplication) -> None:
    if not QFontDatabase.families():
        for path in fonts():
            QFontDatabase.addApplicationFont(str(path))
    font = app.font()
    font.setPointSize(FONT_PT)
    app.setFont(font)


def apply_theme(app: QApplication, mode: Mode = "system") -> None:
    """Give the application its look; ``system`` follows the desktop's choice while running."""
    theme = app.findChild(_Theme) or _Theme(app)
    theme.show(mode)
