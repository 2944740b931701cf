"""Layer panel: what applies is shown, what the user does comes out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from habena.widgets.controls import Choice
from habena.widgets.layer_panel import LayerPanel
from habena.widgets.layer_settings import ColourChoice, LayerModulation, LayerSettings, side_tables
from habena.widgets.numbers import NumberEdit
from habena.widgets.range_handle import RangeHandle
from habena.widgets.range_values import RangeValues
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QSlider, QToolButton
from widget_events import Log, child, focus, take

RAMP = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
CHOICES = (
    ColourChoice("grey", "Grey", "sequential", RAMP),
    ColourChoice("warm", "Warm: red to yellow", "sequential", RAMP, partner="cool"),
    ColourChoice("cool", "Cool", "sequential", RAMP[::-1], partner="warm"),
    ColourChoice("vik", "Vik", "diverging", RAMP),
    ColourChoice("labels", "Labels", "categorical", RAMP),
)
PLAIN = LayerSettings(unit="SUVR", colours="grey", values=RangeValues(0, 2))
TWO = LayerSettings(
    unit="r", colours="warm", negative="cool", values=RangeValues(0.3, 0.8, 0.3, 0.3, 0.8, 0.3, two_sided=True)
)


@pytest.fixture
def panel(shown) -> LayerPanel:
    widget = LayerPanel()
    widget.set_choices(CHOICES)
    widget.set_layers([(1, "T1"), (2, "Run")])
    widget.set_counts(np.linspace(0, 3, 65), np.ones(64))
    widget.set_settings(PLAIN)
    return shown(widget, (320, 700))


def seen(panel: LayerPanel, kind: type, name: str) -> bool:
    return child(panel, kind, name).isVisible()


def test_setting_is_silent_and_everything_is_shown(panel: LayerPanel) -> None:
    log = Log(panel)
    full = replace(
        TWO, n_frames=9, frame=3, frame_label="12 s", outline=True, modulation=LayerModulation(2, "clip", 1, 5)
    )
    panel.set_settings(full)
    panel.set_playing(True)
    panel.set_linked(True)
    assert log == []
    assert child(panel, Choice, "Colours").value() == "warm"
    assert child(panel, Choice, "Colours of negative").value() == "cool"
    assert child(panel, NumberEdit, "Negative threshold").value() == 0.3
    assert child(panel, QCheckBox, "Outline").isChecked()
    assert child(panel, QToolButton, "Play").isChecked()
    assert child(panel, Choice, "Modulating layer").value() == 2
    assert child(panel, NumberEdit, "Modulation to").value() == 5


def test_only_what_applies_is_shown(panel: LayerPanel) -> None:
    assert not seen(panel, NumberEdit, "Negative from")
    assert not seen(panel, Choice, "Below the threshold")
    assert not seen(panel, QToolButton, "Play")
    panel.set_settings(TWO)
    assert seen(panel, NumberEdit, "Negative from")
    assert seen(panel, Choice, "Below the threshold")
    panel.set_settings(LayerSettings("labels"))
    assert not seen(panel, NumberEdit, "From")
    assert not seen(panel, Choice, "Colours")
    assert not seen(panel, QCheckBox, "Smooth")
    assert seen(panel, QCheckBox, "Outline")
    panel.set_settings(LayerSettings("rgb"))
    assert seen(panel, QCheckBox, "Smooth")
    assert not seen(panel, QCheckBox, "Outline")
    panel.set_settings(None)
    assert not seen(panel, QSlider, "Opacity")


def test_opacity(panel: LayerPanel) -> None:
    log = Log(panel)
    track = child(panel, QSlider, "Opacity")
    QTest.mousePress(track, Qt.MouseButton.LeftButton, pos=QPoint(track.width() // 2, track.height() // 2))
    assert log.names() == ["changed"]
    settings, what = log.last("changed")
    assert what == "Opacity"
    assert settings == replace(PLAIN, opacity=settings.opacity)
    assert settings.opacity == pytest.approx(0.5, abs=0.03)
    QTest.mouseRelease(track, Qt.MouseButton.LeftButton, pos=QPoint(track.width() // 2, track.height() // 2))
    assert log.names() == ["changed", "settled"]


def test_handle_and_field_show_the_same(panel: LayerPanel) -> None:
    log = Log(panel)
    handle = child(panel, RangeHandle, "High end")
    focus(handle)
    QTest.keyClick(handle, Qt.Key.Key_Left)
    settings, what = log.last("changed")
    assert what == "Range"
    assert settings.values.high < 2
    assert child(panel, NumberEdit, "To").value() == settings.values.high
    field = child(panel, NumberEdit, "Threshold")
    focus(field)
    QTest.keyClicks(field, "0,75")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert log.last("changed")[0].values.threshold == 0.75
    assert child(panel, RangeHandle, "Threshold").accessibleName() == "Threshold: 0.75"
    assert log.names() == ["changed", "settled"] * 2
    assert seen(panel, Choice, "Below the threshold")


def test_linked_sides(panel: LayerPanel) -> None:
    panel.set_settings(TWO)
    log = Log(panel)
    QTest.mouseClick(child(panel, QToolButton, "Move both sides"), Qt.MouseButton.LeftButton)
    field = child(panel, NumberEdit, "Negative to")
    focus(field)
    QTest.keyClick(field, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(field, "0.9")
    QTest.keyClick(field, Qt.Key.Key_Return)
    values = log.last("changed")[0].values
    assert values.high == values.negative_high == 0.9
    handle = child(panel, RangeHandle, "Low end")
    focus(handle)
    QTest.keyClick(handle, Qt.Key.Key_Left)
    values = log.last("changed")[0].values
    assert values.low == values.negative_low < 0.3


def test_negative_colours_bring_a_second_side(panel: LayerPanel) -> None:
    log = Log(panel)
    take(child(panel, Choice, "Colours of negative"), "Cool")
    settings, what = log.last("changed")
    assert what == "Colours of negative values"
    assert settings.negative == "cool"
    assert settings.values == RangeValues(0, 2, None, 0, 2, None, two_sided=True)
    assert seen(panel, NumberEdit, "Negative from")
    take(child(panel, Choice, "Colours of negative"), "No own")
    assert not log.last("changed")[0].values.two_sided
    assert log.names().count("settled") == log.names().count("changed")


def test_a_diverging_table_serves_both_sides(panel: LayerPanel) -> None:
    log = Log(panel)
    take(child(panel, Choice, "Colours"), "Vik")
    settings = log.last("changed")[0]
    assert (settings.colours, settings.negative, settings.values.two_sided) == ("vik", "vik", True)
    assert not seen(panel, Choice, "Colours of negative")
    take(child(panel, Choice, "Colours"), "Warm")
    settings = log.last("changed")[0]
    assert (settings.colours, settings.negative) == ("warm", "cool")


def test_halves_of_a_diverging_table_run_away_from_zero() -> None:
    vik = CHOICES[3]
    positive, negative = side_tables(vik, vik, inverted=False)
    assert (positive.shape, negative.shape) == ((256, 3), (256, 3))
    assert positive[[0, 255], 0].tolist() == [128, 255]
    assert negative[[0, 255], 0].tolist() == [127, 0]
    positive, negative = side_tables(vik, vik, inverted=True)
    assert positive[[0, 255], 0].tolist() == [127, 0]
    assert negative[[0, 255], 0].tolist() == [128, 255]
    positive, none = side_tables(CHOICES[0], None, inverted=True)
    assert positive[0, 0] == 255
    assert none is None


def test_categorical_tables_are_not_offered_for_values(panel: LayerPanel) -> None:
    choice = child(panel, Choice, "Colours")
    assert "Labels" not in [choice.itemText(number) for number in range(choice.count())]


def test_check_boxes_and_invert(panel: LayerPanel) -> None:
    panel.set_settings(TWO)
    log = Log(panel)
    for box in ("Outline", "Smooth"):
        part = child(panel, QCheckBox, box)
        focus(part)
        QTest.keyClick(part, Qt.Key.Key_Space)
    QTest.mouseClick(child(panel, QToolButton, "Last colour first"), Qt.MouseButton.LeftButton)
    take(child(panel, Choice, "Below"), "Faded")
    assert log.last("changed")[0] == replace(TWO, outline=True, smooth=False, inverted=True, below="fade")
    assert log.names() == ["changed", "settled"] * 4


def test_frames_and_playback(panel: LayerPanel) -> None:
    panel.set_settings(replace(PLAIN, n_frames=10, frame=2, frame_label="3 s"))
    log = Log(panel)
    track = child(panel, QSlider, "Frame")
    focus(track)
    QTest.keyClick(track, Qt.Key.Key_Right)
    assert log[0] == ("changed", replace(PLAIN, n_frames=10, frame=3, frame_label="3 s"), "Frame")
    QTest.mouseClick(child(panel, QToolButton, "Play"), Qt.MouseButton.LeftButton)
    QTest.mouseClick(child(panel, QCheckBox, "All series"), Qt.MouseButton.LeftButton, pos=QPoint(10, 12))
    speed = child(panel, NumberEdit, "Speed")
    focus(speed)
    QTest.keyClick(speed, Qt.Key.Key_Up)
    assert log[2:] == [("play_toggled", True), ("link_toggled", True), ("speed_changed", 6.0)]


def test_modulation(panel: LayerPanel) -> None:
    log = Log(panel)
    QTest.mouseClick(child(panel, QToolButton, "Modulate"), Qt.MouseButton.LeftButton)
    take(child(panel, Choice, "Modulating layer"), "Run")
    assert log.last("changed")[0].modulation == LayerModulation(2)
    take(child(panel, Choice, "Kind of modulation"), "Shown")
    field = child(panel, NumberEdit, "Modulation from")
    focus(field)
    QTest.keyClick(field, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(field, "0.5")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert log.last("changed")[0].modulation == LayerModulation(2, "clip", 0.5, 1)
    take(child(panel, Choice, "Modulating layer"), "None")
    assert log.last("changed")[0].modulation is None
    assert log.names() == ["changed", "settled"] * 4
