"""The table of people: filter, sort, choose, step, judge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from habena.widgets.participant_table import PICTURE_PX, ParticipantTable, People
from habena.widgets.row_filter import row_filter
from habena.widgets.study_browser import StudyBrowser, StudyHead
from habena.widgets.value_model import Column
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox, QLineEdit, QPushButton, QTableView, QToolButton
from widget_events import Log, child, focus

COLUMNS = (
    Column("Participant"),
    Column("arm"),
    Column("age", kind="number"),
    Column("Quality"),
    Column("Note"),
)
ROWS = (
    ("sub-1", "ketamine", 45.0, "", ""),
    ("sub-2", "placebo", 30.0, "bad", "moved a lot"),
    ("sub-3", "ketamine", None, "", ""),
    ("sub-4", "placebo", 61.0, "", ""),
)
PEOPLE = People(
    COLUMNS,
    tuple(row[0] for row in ROWS),
    ROWS,
    quality=3,
    note=4,
    grades=("", "good", "doubtful", "bad"),
    scans={row[0]: f"/{row[0]}.nii" for row in ROWS},
)
HEAD = StudyHead("Simulated: a study", is_blinded=False, sessions=(("", "first"), ("last", "last")), session="")
NOTHING_HELD = Qt.KeyboardModifier.NoModifier


@pytest.fixture
def browser(shown: Callable[..., StudyBrowser]) -> StudyBrowser:
    made = StudyBrowser()
    made.set_study(HEAD, PEOPLE)
    return shown(made, (1100, 320))


def cell(table: ParticipantTable, row: int, column: int) -> QPoint:
    return table.view.visualRect(table.view.model().index(row, column)).center()


def click(table: ParticipantTable, row: int, column: int = 1, held: Qt.KeyboardModifier = NOTHING_HELD) -> None:
    QTest.mouseClick(table.view.viewport(), Qt.MouseButton.LeftButton, held, cell(table, row, column))


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("", "1234"),
        ("ketamine", "13"),
        ("arm=ketamine age>40", "1"),
        ("arm!=ketamine", "24"),
        ("age>=30 age<=45", "12"),
        ("age != 30", "134"),
        ("note~moved", "2"),
        ('note="moved a lot"', "2"),
        ("ARM=Placebo", "24"),
        ("PLACEBO sub-4", "4"),
        ("age>1,5 arm=placebo", "24"),
        ("qual=bad", "2"),
        ("age>old", ""),
        ('"moved a"', "2"),
        ("nobody", ""),
    ],
)
def test_words_and_conditions_keep_the_rows_that_meet_all_of_them(browser, text, people):
    QTest.keyClicks(child(browser, QLineEdit, "Filter"), text)
    assert browser.table.shown_keys() == tuple(f"sub-{n}" for n in people)


def test_a_column_that_there_is_not_is_said_and_hides_nobody(browser):
    field = child(browser, QLineEdit, "Filter")
    QTest.keyClicks(field, "height>3")
    assert field.property("wrong")
    assert len(browser.table.shown_keys()) == 4
    field.clear()
    assert not field.property("wrong")


@given(st.text(max_size=40))
def test_no_filter_that_can_be_typed_fails(text):
    wanted = row_filter(text, {"age": 2, "arm": 1})
    assert all(isinstance(wanted.keeps(row), bool) for row in ROWS)


def test_sorting_goes_by_numbers_and_those_without_come_last(browser):
    browser.table.view.sortByColumn(2, Qt.SortOrder.DescendingOrder)
    assert browser.table.shown_keys() == ("sub-4", "sub-1", "sub-2", "sub-3")


def test_several_people_are_selected_and_stay_so_when_rows_are_sorted_or_shown_anew(browser):
    log = Log(browser.table)
    click(browser.table, 0)
    click(browser.table, 3, held=Qt.KeyboardModifier.ControlModifier)
    assert log.last("selected") == (("sub-1", "sub-4"),)
    browser.table.view.sortByColumn(2, Qt.SortOrder.DescendingOrder)
    assert browser.table.selected_keys() == ("sub-4", "sub-1")
    browser.set_study(HEAD, PEOPLE)
    assert set(browser.table.selected_keys()) == {"sub-1", "sub-4"}


def test_people_selected_from_outside_are_marked_without_telling(browser):
    log = Log(browser.table)
    browser.table.set_selected(("sub-3", "sub-2", "sub-99"))
    assert browser.table.selected_keys() == ("sub-2", "sub-3")
    assert "selected" not in log.names()


def test_who_is_filtered_out_is_not_selected_any_more(browser):
    click(browser.table, 0)
    log = Log(browser.table)
    browser.set_filter("placebo")
    assert log.last("selected") == ((),)


def test_enter_and_double_click_open_and_up_and_down_step(browser):
    view, log = browser.table.view, Log(browser.table)
    click(browser.table, 0)
    focus(view)
    QTest.keyClick(view, Qt.Key.Key_Return)
    assert log.last("opened") == ("sub-1",)
    QTest.keyClick(view, Qt.Key.Key_Down)
    assert log.last("stepped") == ("sub-2",)
    QTest.keyClick(view, Qt.Key.Key_Up)
    assert log.last("stepped") == ("sub-1",)
    log.clear()
    QTest.keyClick(view, Qt.Key.Key_Up)
    assert "stepped" not in log.names()
    click(browser.table, 3, 0)
    QTest.mouseDClick(view.viewport(), Qt.MouseButton.LeftButton, pos=cell(browser.table, 3, 0))
    assert log.last("opened") == ("sub-4",)


def test_a_note_is_edited_in_place(browser):
    view, log = browser.table.view, Log(browser.table)
    view.setCurrentIndex(view.model().index(2, 4))
    focus(view)
    QTest.keyClick(view, Qt.Key.Key_F2)
    editor = view.findChild(QLineEdit)
    QTest.keyClicks(editor, " tall  person ")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    QApplication.processEvents()  # Qt takes what was typed a turn later
    assert log.last("noted") == ("sub-3", "tall person")
    assert "opened" not in log.names()
    assert view.model().index(2, 4).data() == "tall person"


def test_quality_is_chosen_from_a_list(browser):
    view, log = browser.table.view, Log(browser.table)
    view.setCurrentIndex(view.model().index(0, 3))
    focus(view)
    QTest.keyClick(view, Qt.Key.Key_F2)
    box = child(view, QComboBox, "Quality")
    assert [box.itemText(n) for n in range(box.count())] == ["", "good", "doubtful", "bad"]
    box.setCurrentIndex(2)
    box.activated.emit(2)
    QApplication.processEvents()
    assert log.last("graded") == ("sub-1", "doubtful")


def test_pictures_are_asked_for_of_the_rows_in_sight_alone_and_only_once(shown, qtbot):
    keys = tuple(f"sub-{n}" for n in range(200))
    many = People(COLUMNS, keys, tuple((key, "", 1.0, "", "") for key in keys), scans={key: key for key in keys})
    table = ParticipantTable()
    log = Log(table)
    table.set_people(many)
    shown(table, (500, 300))
    qtbot.waitUntil(lambda: "pictures_wanted" in log.names())
    (first,) = log.last("pictures_wanted")
    assert first[0] == "sub-0"
    assert len(first) <= 300 / PICTURE_PX + 1
    for scan in first:
        table.take_picture(scan, np.full((48, 48), 200, np.uint8))
    assert not table.view.model().index(0, 0).data(Qt.ItemDataRole.DecorationRole).isNull()
    table.view.verticalScrollBar().setValue(table.view.verticalScrollBar().maximum())
    qtbot.waitUntil(lambda: "sub-199" in log.last("pictures_wanted")[0])
    assert not set(first) & set(log.last("pictures_wanted")[0])


def test_the_switch_of_blinding_waits_until_it_is_done(browser):
    log, switch = Log(browser), child(browser, QCheckBox, "Blinded")
    switch.click()
    assert log.last("blinding_requested") == (True,)
    assert not switch.isChecked()
    browser.set_study(replace(HEAD, is_blinded=True), PEOPLE)
    assert switch.isChecked()


def test_findings_are_listed_on_request_and_choosing_one_tells(browser):
    log, more = Log(browser), child(browser, QToolButton, "Findings")
    assert not more.isVisible()
    browser.set_findings([("sub-2", "has no scan."), ("table", "is odd.")])
    assert more.text() == "2 findings"
    more.click()
    table = child(browser, QTableView, "Findings")
    assert table.isVisible()
    table.setCurrentIndex(table.model().index(1, 0))
    assert log.last("finding_chosen") == (1,)


def test_without_a_study_it_says_what_to_do(shown):
    browser = shown(StudyBrowser(), (900, 250))
    log = Log(browser)
    child(browser, QPushButton, "Open study folder").click()
    child(browser, QPushButton, "Demo study").click()
    assert log.names() == ["open_requested", "demo_requested"]


def test_the_rows_shown_are_saved_as_they_are_shown(browser):
    log = Log(browser)
    browser.set_filter("placebo")
    child(browser, QPushButton, "Save").click()
    (text,) = log.last("save_requested")
    assert [line.split("\t")[0] for line in str(text).splitlines()] == ["Participant", "sub-2", "sub-4"]
