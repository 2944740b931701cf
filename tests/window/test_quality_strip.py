"""Motion, DVARS and carpet under the time course, with one cursor over all."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pyqtgraph as pg
import pytest
from habena.app.window import Window
from habena.widgets.quality_plots import CarpetPlot, MotionPlot
from habena.widgets.seed_panel import SeedPanel
from habena.widgets.time_course import TimeCourse
from habena.widgets.time_plots import TimePlot
from panel_events import choose, open_tab, press, selected, write
from PySide6.QtCore import QPoint, QPointF
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLabel
from window_events import LEFT, named, picture, settle, texts, wait_until
from window_files import OpenWindow

JUMP = 20  # volume that has moved


@pytest.fixture
def with_quality(open_window: OpenWindow, run_4d: Path) -> Window:
    window = open_window(run_4d, size=(1240, 1000))
    open_tab(window, "time")
    wait_until(lambda: len(plots(window)) == 3, "the quality of the run")
    settle(window)
    return window


def plots(window: Window) -> list[TimePlot]:
    """Plots of the panel, from above."""
    items = list(window.findChild(TimeCourse).findChild(pg.GraphicsLayoutWidget).ci.items)
    return sorted(items, key=lambda item: item.sceneBoundingRect().top())


def port(window: Window):
    return window.findChild(TimeCourse).findChild(pg.GraphicsLayoutWidget).viewport()


def pixel(plot: TimePlot, x: float) -> QPoint:
    box = plot.getViewBox()
    return box.mapViewToScene(QPointF(x, sum(box.viewRange()[1]) / 2)).toPoint()


def captions(window: Window) -> list[str]:
    return [plot.caption() for plot in plots(window)]


def test_without_motion_there_are_dvars_and_carpet_and_why_no_more(with_quality: Window) -> None:
    assert [type(plot) for plot in plots(with_quality)] == [TimePlot, MotionPlot, CarpetPlot]
    assert "Motion is not known: choose a confounds file in the seed panel." in texts(
        with_quality.findChild(TimeCourse)
    )
    carpet = plots(with_quality)[-1]
    middle = pixel(carpet, 40.0)
    shown = picture(port(with_quality))[middle.y() - 3 : middle.y() + 4, middle.x() - 200 : middle.x() + 200]
    assert len(np.unique(shown)) > 30  # greys of many lines


def test_one_cursor_stands_over_all_plots(with_quality: Window) -> None:
    for number in range(3):
        time_s = 20.0 + 10 * number
        QTest.mouseClick(port(with_quality), LEFT, pos=pixel(plots(with_quality)[number], time_s))
        settle(with_quality)
        assert {plot.frame.value() for plot in plots(with_quality)} == {time_s}
        assert selected(with_quality).frame == time_s / 2


def test_every_plot_says_what_it_shows_however_low_it_is(with_quality: Window) -> None:
    shown = captions(with_quality)
    assert shown[1].startswith("DVARS")
    assert shown[2].startswith("Carpet")


def test_a_confounds_file_brings_displacement_and_its_limit(
    with_quality: Window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "motion.tsv"
    displacement = np.full(40, 0.1)
    displacement[[JUMP, JUMP + 1]] = 1.5
    lines = ["framewise_displacement", "n/a", *(f"{value:.3f}" for value in displacement[1:])]
    table.write_text("\n".join(lines) + "\n")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(table), ""))
    open_tab(with_quality, "seed")
    form = with_quality.findChild(SeedPanel)
    press(form, "Confounds and motion")
    press(form, "Confounds file: choose")
    choose(form, "Band", "All frequencies")
    write(form, "Censor", "0.5")
    press(form, "Prepare")
    wait_until(lambda: len(plots(with_quality)) == 4, "the displacement")
    settle(with_quality)
    assert [type(plot) for plot in plots(with_quality)] == [TimePlot, MotionPlot, MotionPlot, CarpetPlot]
    assert captions(with_quality)[1] == "FD (mm)"
    assert "2 of 40 volumes moved more than 0.5 mm" in " ".join(texts(with_quality.findChild(TimeCourse)))
    strip = plots(with_quality)[1]
    shot = picture(port(with_quality))
    moved, still = (shot[at.y() + 4, at.x() + 3] for at in (pixel(strip, 2.0 * JUMP), pixel(strip, 60.0)))
    assert moved[0] > still[0] + 50  # a red bar


def test_quality_waits_for_other_work_and_comes_by_itself(open_window: OpenWindow, run_4d: Path) -> None:
    go_on = threading.Event()
    window = open_window(size=(1240, 1000))
    open_tab(window, "time")
    window.session.jobs.live("work of a panel", lambda _: go_on.wait())
    window.open([str(run_4d)])
    wait_until(lambda: "sub-01" in named(window, QLabel, "Values at this time").text(), "the time course")
    assert len(plots(window)) == 1
    go_on.set()  # nothing else happens from now on
    wait_until(lambda: len(plots(window)) == 3, "the quality of the run")
    settle(window)
