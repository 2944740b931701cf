"""Notices: the gravest and newest in sight, the others a click away, none gone unread."""

from __future__ import annotations

from pathlib import Path

import pytest
from file_events import drop, errors, notices, press_in_notice
from habena.app.main import _tell_of
from habena.app.session import Notice
from habena.app.settings import Settings
from habena.app.window import Window
from habena.widgets.controls import IconButton
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from window_events import press_key, settle, texts, wait_until


@pytest.fixture
def empty_file(tmp_path: Path) -> Path:
    path = tmp_path / "empty.nii"
    path.touch()
    return path


def in_sight(window: Window) -> str:
    """The one notice that is seen while the others are folded away."""
    QApplication.processEvents()
    return next((text for text in texts(window.notice_bar) if len(text) > 20), "")


def test_an_error_is_seen_at_once_although_a_question_came_before_it(open_window, anatomy, empty_file):
    window = open_window(anatomy)
    assert in_sight(window).startswith("Keep a list of recent files")
    drop(window, empty_file)
    settle(window)
    assert "empty.nii" in in_sight(window)
    assert len(notices(window)) == 2


def test_of_two_errors_the_newer_one_is_seen(open_window, empty_file, tmp_path):
    window = open_window()
    for path in (empty_file, tmp_path / "missing.nii"):
        drop(window, path, over=window.welcome)
        settle(window)
    assert "missing.nii" in in_sight(window)
    assert ["missing.nii" in text for text in errors(window)] == [True, False]


def test_escape_takes_away_the_notice_in_sight_and_shows_the_next(open_window, anatomy, empty_file):
    window = open_window(anatomy)
    drop(window, empty_file)
    settle(window)
    press_key(window, Qt.Key.Key_Escape)
    assert in_sight(window).startswith("Keep a list of recent files")
    press_key(window, Qt.Key.Key_Escape)
    assert not window.notice_bar.isVisible()
    press_key(window, Qt.Key.Key_Escape)
    assert not window.notice_bar.isVisible()


def test_the_cross_of_a_notice_takes_away_that_one_alone(open_window, anatomy, empty_file):
    window = open_window(anatomy)
    drop(window, empty_file)
    settle(window)
    assert len(notices(window)) == 2
    crosses = [b for b in window.notice_bar.findChildren(IconButton) if b.isVisible()]
    QTest.mouseClick(crosses[1], Qt.MouseButton.LeftButton)
    assert ["empty.nii" in text for text in notices(window)] == [True]


def test_a_notice_lies_over_the_views_which_keep_their_size(open_window, anatomy):
    window = open_window(anatomy, settings=Settings(theme="dark", atlases=(), remember_files=False))
    before, arrangement = window.area.size(), window.slice_view.arrangement
    assert not window.notice_bar.isVisible()
    window.tell(Notice("warning", "first"))
    window.tell(Notice("error", "second"))
    settle(window)
    assert window.notice_bar.isVisible()
    assert window.area.size() == before
    assert window.slice_view.arrangement == arrangement
    seen = window.childAt(window.notice_bar.mapTo(window, window.notice_bar.rect().center()))
    assert window.notice_bar.isAncestorOf(seen)
    assert window.notice_bar.width() == window.area.width()


def test_news_that_asks_for_nothing_goes_by_itself_and_all_else_stays(open_window, anatomy, monkeypatch):
    monkeypatch.setattr("habena.widgets.notice_bar.PASSING_MS", 1)
    window = open_window(anatomy, settings=Settings(theme="dark", atlases=(), remember_files=False))
    window.tell(Notice("info", "done"))
    assert window.notice_bar.isVisible()
    wait_until(lambda: not window.notice_bar.isVisible(), "the end of the notice")
    for notice in (Notice("info", "what now?", (("Do it", lambda: None),)), Notice("warning", "take care")):
        window.tell(notice)
        window.tell(Notice("info", "done again"))
        told = {*notices(window)}
        assert notice.text in told
        wait_until(lambda: notices(window)[0] != "done again", "the other notice")
        assert notice.text in notices(window)


def test_all_notices_can_be_dismissed_at_once(open_window, anatomy, empty_file):
    window = open_window(anatomy)
    drop(window, empty_file)
    settle(window)
    press_in_notice(window, "Dismiss all")
    assert notices(window) == []
    drop(window, empty_file)
    settle(window)
    assert len(notices(window)) == 1


def test_a_file_is_warned_of_what_its_header_contradicts(open_window, shared_data):
    window = open_window(shared_data("compat/shear.nii.gz"))
    (warning,) = notices(window, "warning")
    assert warning.startswith("shear.nii.gz: ")
    assert "sform" in warning
    assert "mm" in warning


def test_a_defect_ends_its_work_is_told_and_the_session_goes_on(
    open_window, anatomy, stat_map, monkeypatch, qtbot, capsys
):
    def defect(*_: object, **__: object) -> None:
        raise ZeroDivisionError("division by zero")

    window = open_window(anatomy, settings=Settings(theme="dark", atlases=(), remember_files=False))
    with monkeypatch.context() as patched, qtbot.captureExceptions() as raised:
        patched.setattr("habena.app.session.open_path", defect)
        drop(window, stat_map)
        settle(window)
    ((kind, error, trace),) = raised
    _tell_of(window)(kind, error, trace)
    assert errors(window) == [
        "A defect in Habena: ZeroDivisionError: division by zero. Your view is intact; please report this."
    ]
    assert "Traceback" in capsys.readouterr().err
    assert not any(text.startswith("Opening") for text in texts(window.job_bar))
    drop(window, stat_map)
    settle(window)
    assert len(window.session.shown()) == 2
