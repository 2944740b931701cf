"""Job bar, notices and the welcome page."""

from __future__ import annotations

import pytest
from habena.widgets.job_bar import Job, JobBar
from habena.widgets.notice_bar import Notice, NoticeBar
from habena.widgets.theme import DARK
from habena.widgets.welcome import Welcome
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QListWidget, QMenu, QProgressBar, QPushButton, QToolButton
from widget_events import Log, child, colour_at, focus

ERROR = Notice("error", "sub-01_bold.nii.gz: the file ends early; copy it again", ("Open what is whole",))
WARNING = Notice("warning", "TR of the header is 1.794 s, of the sidecar 2 s")
INFO = Notice("info", "<b>Simulated</b>")


def labels(widget) -> list[str]:
    QApplication.processEvents()  # new parts of a layout are shown by the event loop
    return [label.text() for label in widget.findChildren(QLabel) if label.isVisible() and label.text()]


def test_jobs(shown) -> None:
    bar = JobBar()
    bar.set_memory("2.1 of 24 GB")
    shown(bar, (600, 30))
    log = Log(bar)
    assert labels(bar) == ["Memory: 2.1 of 24 GB"]
    bar.set_jobs([Job(("prepare", 1), "Preparing rest", 0.43), Job("load", "Loading T1"), Job("x", "X")])
    assert "Preparing rest" in labels(bar)
    assert "43 %" in labels(bar)
    assert child(bar, QProgressBar, "Progress").value() == 43
    QTest.mouseClick(child(bar, QToolButton, "Cancel"), Qt.MouseButton.LeftButton)
    waiting = bar.findChild(QMenu).actions()
    assert [action.text() for action in waiting] == ["Cancel: Loading T1", "Cancel: X"]
    waiting[1].trigger()
    assert log == [("cancel_requested", ("prepare", 1)), ("cancel_requested", "x")]
    bar.set_jobs([Job("load", "Loading T1")])
    assert child(bar, QProgressBar, "Progress").maximum() == 0
    assert not child(bar, QToolButton, "Waiting").isVisible()
    bar.set_jobs([Job("load", "Looking at the quality of " + "sub-01_task-rest_" * 20)])
    assert bar.minimumSizeHint().width() < 500  # a long name does not widen the window
    bar.set_jobs(())
    assert not child(bar, QToolButton, "Cancel").isVisible()


@pytest.fixture
def notices(shown) -> NoticeBar:
    bar = NoticeBar()
    bar.set_notices([ERROR, WARNING, INFO])
    return shown(bar, (500, 120))


def test_first_notice_shows_and_the_others_on_request(notices: NoticeBar) -> None:
    assert labels(notices) == [ERROR.text]
    assert colour_at(notices, 1, 10).name() == DARK.error
    more = child(notices, QPushButton, "More")
    assert more.text() == "2 more"
    QTest.mouseClick(more, Qt.MouseButton.LeftButton)
    assert labels(notices) == [ERROR.text, WARNING.text, INFO.text]
    assert notices.findChildren(QLabel)[-1].textFormat() == Qt.TextFormat.PlainText
    QTest.mouseClick(more, Qt.MouseButton.LeftButton)
    assert labels(notices) == [ERROR.text]


def test_notices_go_one_by_one_or_all(notices: NoticeBar) -> None:
    log = Log(notices)
    close = child(notices, QToolButton, "Dismiss")
    focus(close)
    QTest.keyClick(close, Qt.Key.Key_Escape)
    assert log == [("dismissed", ERROR)]
    assert labels(notices) == [WARNING.text]
    assert QApplication.focusWidget() is child(notices, QToolButton, "Dismiss")  # Escape goes on
    QTest.mouseClick(child(notices, QPushButton, "Dismiss all"), Qt.MouseButton.LeftButton)
    assert log == [("dismissed", ERROR), ("dismissed", WARNING), ("dismissed", INFO)]
    assert not notices.isVisible()


def test_the_first_notice_can_be_dismissed_from_elsewhere(notices: NoticeBar) -> None:
    log = Log(notices)
    notices.dismiss_first()
    notices.dismiss_first()
    assert log == [("dismissed", ERROR), ("dismissed", WARNING)]
    assert labels(notices) == [INFO.text]


def test_a_notice_offers_what_to_do(notices: NoticeBar) -> None:
    log = Log(notices)
    QTest.mouseClick(child(notices, QPushButton, "Open what"), Qt.MouseButton.LeftButton)
    assert log == [("action_chosen", ERROR, "Open what is whole")]


def test_text_of_a_notice_can_be_copied(notices: NoticeBar) -> None:
    label = next(label for label in notices.findChildren(QLabel) if label.text() == ERROR.text)
    label.setFocus()
    QTest.keyClick(label, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(label, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QApplication.clipboard().text() == ERROR.text


def test_long_notices_wrap(shown) -> None:
    bar = NoticeBar()
    bar.set_notices([Notice("warning", "word " * 60)])
    shown(bar, (300, 400))
    label = next(label for label in bar.findChildren(QLabel) if label.text().startswith("word"))
    assert label.height() > 3 * label.fontMetrics().height()


def test_a_narrow_notice_has_its_buttons_below_the_text(shown) -> None:
    bar = shown(NoticeBar(), (800, 120))
    bar.set_notices([Notice("info", "Keep a list of the files that were opened last?", ("Keep the list", "Never"))])
    for width, is_below in ((800, False), (280, True), (800, False)):
        bar.resize(width, 120)
        QApplication.processEvents()
        text = next(label for label in bar.findChildren(QLabel) if "Keep a list" in label.text())
        keep = next(each for each in bar.findChildren(QPushButton) if each.text() == "Keep the list")
        assert text.width() > 180
        assert (keep.mapTo(bar, keep.rect().topLeft()).y() >= text.geometry().bottom()) == is_below


def test_a_word_wider_than_the_notice_is_shortened_and_told_whole_by_its_tool_tip(shown) -> None:
    bar = NoticeBar()
    text = f"Saved /data/{'folder' * 30}.png."
    bar.set_notices([Notice("warning", text)])
    shown(bar, (300, 100))
    label = next(label for label in bar.findChildren(QLabel) if label.text().startswith("Saved"))
    assert "…" in label.text()
    assert label.text().endswith(".png.")
    assert label.fontMetrics().horizontalAdvance(label.text().split(" ")[1]) <= label.width()
    assert label.toolTip() == text
    bar.resize(3000, 100)
    QApplication.processEvents()
    assert (label.text(), label.toolTip()) == (text, "")


def test_notices_are_set_in_silence(notices: NoticeBar) -> None:
    log = Log(notices)
    notices.set_notices([INFO])
    notices.set_notices(())
    assert log == []
    assert not notices.isVisible()


@pytest.fixture
def welcome(shown) -> Welcome:
    page = Welcome()
    page.set_recent([("rest.nii.gz", "/data/sub-01"), ("T1.nii.gz", "/data")])
    return shown(page, (700, 500))


def test_welcome_buttons_and_recent_files(welcome: Welcome) -> None:
    log = Log(welcome)
    for name in ("Open files", "Open folder", "Sample", "BOLD study"):
        QTest.mouseClick(child(welcome, QPushButton, name), Qt.MouseButton.LeftButton)
    recent = child(welcome, QListWidget, "Recent")
    QTest.mouseClick(recent.viewport(), Qt.MouseButton.LeftButton, pos=recent.visualItemRect(recent.item(1)).center())
    focus(recent)
    QTest.keyClick(recent, Qt.Key.Key_Up)
    QTest.keyClick(recent, Qt.Key.Key_Return)
    assert log == [
        ("open_requested",),
        ("open_folder_requested",),
        ("sample_requested",),
        ("demo_requested", "ketamine-bold"),
        ("recent_chosen", 1),
        ("recent_chosen", 0),
    ]


def test_files_are_dropped(welcome: Welcome) -> None:
    log = Log(welcome)
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile("/data/a b.nii"), QUrl("https://example.org/x.nii"), QUrl.fromLocalFile("/d")])
    held = (Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    before = colour_at(welcome, welcome.width() / 2, 12)
    enter = QDragEnterEvent(QPointF(50, 50).toPoint(), *held)
    QApplication.sendEvent(welcome, enter)
    assert enter.isAccepted()
    after = {colour_at(welcome, x, 12).name() for x in range(100, 120)}
    assert DARK.accent in after
    assert before.name() != DARK.accent
    QApplication.sendEvent(welcome, QDropEvent(QPointF(50, 50), *held))
    assert log == [("dropped", ("/data/a b.nii", "/d"))]


def test_text_that_is_dragged_over_is_not_taken(welcome: Welcome) -> None:
    mime = QMimeData()
    mime.setText("hello")
    held = (Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    enter = QDragEnterEvent(QPointF(50, 50).toPoint(), *held)
    enter.ignore()
    QApplication.sendEvent(welcome, enter)
    assert not enter.isAccepted()


def test_welcome_is_set_in_silence(welcome: Welcome) -> None:
    log = Log(welcome)
    welcome.set_keys([("Space", "play")])
    welcome.set_recent(())
    assert log == []
    assert "play" in labels(welcome)
    assert not child(welcome, QListWidget, "Recent").isVisible()
