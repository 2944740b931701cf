"""The form of a model: files, formula, contrasts, inference and the picture of the design."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from habena.widgets.model_design import DesignMatrix, DesignPicture, shades
from habena.widgets.model_fields import FormulaEdit, TextLines
from habena.widgets.model_form import ModelForm
from habena.widgets.model_inference import InferenceForm
from habena.widgets.model_settings import ModelSettings
from habena.widgets.numbers import NumberEdit
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit
from widget_events import Log, child, colour_at, focus, take

LEFT = Qt.MouseButton.LeftButton
DESIGN = DesignPicture(
    "",
    np.column_stack([np.ones(6), [0, 1, 0, 1, 0, 1], [20.0, 25, 30, 35, 40, 60]]),
    ("Intercept", "group[T.b]", "age"),
    tuple(f"sub-{n}" for n in range(6)),
)


@pytest.fixture
def design(shown: Callable[..., DesignMatrix]) -> DesignMatrix:
    picture = shown(DesignMatrix(), (300, 120))
    picture.set_design(DESIGN)
    return picture


def cell_px(design: DesignMatrix, row: int, column: int) -> QPoint:
    area = design.area()
    return QPoint(area.x() + (2 * column + 1) * area.width() // 6, area.y() + (2 * row + 1) * area.height() // 12)


def test_shades_run_over_each_column_and_a_constant_column_is_light() -> None:
    made = shades(DESIGN.matrix)
    assert made[:, 0].tolist() == [240] * 6
    assert made[:, 1].tolist() == [40, 240, 40, 240, 40, 240]
    assert made[0, 2] == 40
    assert made[5, 2] == 240
    assert made[2, 2] == 90


def test_the_picture_of_a_design_has_the_grey_of_each_value(design: DesignMatrix) -> None:
    for row, column, grey in ((0, 0, 240), (0, 1, 40), (1, 1, 240), (2, 2, 90)):
        at = cell_px(design, row, column)
        assert colour_at(design, at.x(), at.y()).red() == grey


def test_hovering_names_a_value_and_leaving_forgets_it(design: DesignMatrix) -> None:
    log = Log(design)
    QTest.mouseMove(design, cell_px(design, 3, 2))
    QApplication.processEvents()
    assert log.last("pointed") == ("sub-3, age: 35",)


def test_arrow_keys_walk_over_the_values(design: DesignMatrix) -> None:
    log = Log(design)
    focus(design)
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Right, Qt.Key.Key_Left, Qt.Key.Key_Left):
        QTest.keyClick(design, key)
    told = [entry[1] for entry in log if entry[0] == "pointed"]
    assert told == ["sub-0, Intercept: 1", "sub-1, Intercept: 1", "sub-1, group[T.b]: 1", "sub-1, Intercept: 1"]
    assert design.accessibleDescription() == "sub-1, Intercept: 1"


def test_names_are_completed_where_the_cursor_is_and_odd_ones_get_backticks(
    shown: Callable[..., FormulaEdit],
) -> None:
    edit = shown(FormulaEdit("Formula", ""))
    edit.set_names(["group", "age", "mean fd"])
    log = Log(edit)
    focus(edit)
    QTest.keyClicks(edit, "~ GR")
    QTest.keyClick(edit._completer.popup(), Qt.Key.Key_Return)
    assert edit.text() == "~ group"
    assert log.last("edited") == ("~ group",)
    QTest.keyClicks(edit, " + `m")
    QTest.keyClick(edit._completer.popup(), Qt.Key.Key_Return)
    assert edit.text() == "~ group + `mean fd`"
    edit.setCursorPosition(2)
    QTest.keyClicks(edit, "ag")
    QTest.keyClick(edit._completer.popup(), Qt.Key.Key_Escape)
    assert edit.text() == "~ aggroup + `mean fd`"


def test_a_whole_name_is_offered_nothing_more(shown: Callable[..., FormulaEdit]) -> None:
    edit = shown(FormulaEdit("Formula", ""))
    edit.set_names(["group", "age"])
    focus(edit)
    QTest.keyClicks(edit, "~ age")
    assert not edit._completer.popup().isVisible()


def test_contrasts_are_lines_without_blanks_and_setting_them_tells_nobody(shown: Callable[..., TextLines]) -> None:
    edit = shown(TextLines("Contrasts", ""))
    log = Log(edit)
    edit.set_lines(("age", "a - b"))
    assert not log
    focus(edit)
    QTest.keyClick(edit, Qt.Key.Key_End, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClick(edit, Qt.Key.Key_Return)
    QTest.keyClicks(edit, "  F = a; b ")
    assert log.last("edited") == (("age", "a - b", "F = a; b"),)


def test_only_what_a_correction_needs_is_shown(shown: Callable[..., InferenceForm]) -> None:
    form = shown(InferenceForm())
    log = Log(form)

    def visible() -> set[str]:
        return {edit.accessibleName() for edit in form.findChildren(NumberEdit) if edit.isVisible()}

    form._advanced.set_open(True)
    assert visible() == {"Permutations", "Seed"}
    focus(form._correction)
    QTest.keyClick(form._correction, Qt.Key.Key_Home)  # TFCE is the first
    assert visible() == {"Permutations", "Seed", "TFCE H", "TFCE E"}
    take(form._correction, "False")
    assert visible() == set()
    (settings,) = log.last("changed")
    assert settings.correction == "fdr"
    assert settings.permuted == 0


def test_the_form_gives_what_was_set_with_one_thing_changed(shown: Callable[..., ModelForm]) -> None:
    form = shown(ModelForm(), (330, 900))
    settings = ModelSettings(table="/t/study.tsv", formula="~ age", contrasts=("age",), exclude="sub-3", seed=7)
    form.set_columns(("participant_id", "age"), ("participant_id",))
    form.set_settings(settings)
    log = Log(form)
    form._more.set_open(True)
    exclude = child(form, QLineEdit, "Leave out")
    focus(exclude)
    QTest.keyClicks(exclude, ", sub-4")
    assert log.last("changed") == (replace(settings, exclude="sub-3, sub-4"),)
    QTest.mouseClick(form._whole, LEFT)
    assert log.names() == ["changed"] * 7  # a block can be whole only where there are blocks


def test_problems_stand_under_their_fields_and_go_again(shown: Callable[..., ModelForm]) -> None:
    form = shown(ModelForm(), (330, 900))
    form.set_columns(("age",), ())
    problems = {"formula": "Has no column agee; choose from age.", "within": "Names nothing."}
    form.set_problems(problems)
    assert form.problems() == problems
    assert form._more.is_open()  # what is wrong is in sight
    assert form._formula.property("wrong")
    form.set_problems({})
    assert not form.problems()
    assert not form._formula.property("wrong")
