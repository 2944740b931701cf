"""Theme: contrast, palette, colours of curves, following the system."""

from __future__ import annotations

import pytest
from habena.widgets import icons
from habena.widgets.theme import DARK, LIGHT, Look, apply_theme, contrast, is_dark, look, palette, plot_colours
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPalette
from PySide6.QtWidgets import QApplication, QPushButton

BOTH = pytest.mark.parametrize("theme_colours", [DARK, LIGHT], ids=["dark", "light"])


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast(QColor("black"), QColor("white")) == pytest.approx(21)
    assert contrast(QColor("#777777"), QColor("white")) == pytest.approx(4.478, abs=1e-3)
    assert contrast(QColor("white"), QColor("#777777")) == pytest.approx(4.478, abs=1e-3)


@BOTH
@pytest.mark.parametrize("text", ["text", "muted", "error", "warning"])
@pytest.mark.parametrize("behind", ["window", "base"])
def test_text_is_readable(theme_colours: Look, text: str, behind: str) -> None:
    pair = (QColor(getattr(theme_colours, text)), QColor(getattr(theme_colours, behind)))
    assert contrast(*pair) >= 4.5


@BOTH
@pytest.mark.parametrize(
    ("text", "behind"),
    [("text", "button"), ("text", "hover"), ("text", "chosen"), ("on_accent", "accent"), ("muted", "chosen")],
)
def test_text_on_controls_is_readable(theme_colours: Look, text: str, behind: str) -> None:
    pair = (QColor(getattr(theme_colours, text)), QColor(getattr(theme_colours, behind)))
    assert contrast(*pair) >= 4.5


@BOTH
def test_focus_ring_stands_out(theme_colours: Look) -> None:
    for behind in (theme_colours.window, theme_colours.base, theme_colours.button, theme_colours.border):
        if behind != theme_colours.border:
            assert contrast(QColor(theme_colours.accent), QColor(behind)) >= 3


@BOTH
def test_curves_stand_out_and_differ(theme_colours: Look) -> None:
    behind = QColor(theme_colours.base)
    curves = [QColor(name) for name in plot_colours(behind)]
    assert len({curve.name() for curve in curves}) == 7
    assert all(contrast(curve, behind) >= 4.5 for curve in curves)


def test_curves_keep_the_published_colour_where_it_is_readable() -> None:
    assert plot_colours(QColor("#000000"))[4] == "#56b4e9"
    assert plot_colours(QColor("#ffffff"))[0] == "#0072b2"


def test_palette_knows_which_theme_it_is() -> None:
    assert is_dark(palette(DARK))
    assert not is_dark(palette(LIGHT))


def test_theme_changes_what_is_painted(qapp: QApplication, shown) -> None:
    button = shown(QPushButton("x"), (80, 30))
    assert qapp.font().pointSize() == 10
    seen = []
    for mode in ("dark", "light"):
        apply_theme(qapp, mode)
        qapp.processEvents()
        seen.append(button.grab().toImage().pixelColor(20, 8).lightness())
    assert seen[0] < 100
    assert seen[1] > 200
    assert look() is LIGHT


def test_system_mode_follows_the_desktop(qapp: QApplication) -> None:
    apply_theme(qapp, "system")
    qapp.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Dark)
    assert qapp.palette().color(QPalette.ColorRole.Window) == QColor(DARK.window)
    qapp.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Light)
    assert qapp.palette().color(QPalette.ColorRole.Window) == QColor(LIGHT.window)
    apply_theme(qapp, "dark")
    qapp.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Light)
    assert qapp.palette().color(QPalette.ColorRole.Window) == QColor(DARK.window)


@pytest.mark.parametrize("name", icons.names())
def test_every_icon_is_drawn_in_the_colour_asked(qapp: QApplication, name: str) -> None:
    image = icons.pixmap(name, QColor("#ff0000"), QSize(48, 48)).toImage()
    inked = [image.pixelColor(x, y) for x in range(48) for y in range(48) if image.pixelColor(x, y).alpha() > 200]
    assert len(inked) > 20
    assert all(colour.red() > 200 and colour.green() < 60 for colour in inked)
    edge = [image.pixelColor(x, y).alpha() for x in (0, 47) for y in range(48)]
    assert max(edge) < 128  # nothing is cut off


def test_icons_follow_the_palette_and_have_a_disabled_look(qapp: QApplication) -> None:
    icon = icons.icon("pause", palette(LIGHT))
    for mode, expected in ((QIcon.Mode.Normal, LIGHT.text), (QIcon.Mode.Disabled, LIGHT.disabled)):
        image = icon.pixmap(QSize(48, 48), 1.0, mode).toImage()
        assert image.pixelColor(16, 24).name() == expected
