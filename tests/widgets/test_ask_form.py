"""The form of a question: fields that belong to it, why it cannot be asked, and what is planned."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from habena.widgets.ask_form import AskForm
from habena.widgets.ask_settings import FIELDS, AskOffer, AskPlan, AskSettings, fields_of
from habena.widgets.controls import Choice
from habena.widgets.model_design import DesignPicture
from habena.widgets.model_fields import DropField
from habena.widgets.numbers import NumberEdit
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QCheckBox, QListWidget, QPushButton, QScrollArea, QWidget
from widget_events import focus, take

OFFER = AskOffer(
    questions=(
        ("severity", "Severity", ""),
        ("change", "Change", ""),
        ("graph", "Networks", ""),
        ("formula", "Formula", ""),
        ("crossover", "Spectra", "has no spectra"),
    ),
    scores=(("madrs_total", "MADRS"), ("hamd17_total", "HAMD-17")),
    measures=(("", "what fits"), ("pet", "PET")),
    arms=(("drug", "drug"), ("placebo", "placebo")),
    sessions=(("ses-pre", "pre"), ("ses-post", "post")),
    references=(("", "suggested"), ("cerebellum", "cerebellum")),
    voxelwise=(("dc = degree", "dc = degree"), ("pet = pet", "pet = pet")),
    columns=("age", "sex", "site"),
)
PLAN = AskPlan(
    words="Simulated: SUVR and MADRS.",
    formula="suvr ~ madrs + age",
    n="10 TRD.",
    power="With n = 10 little is found.",
    notes=("sub-03 is left out.",),
    covariates=("age",),
    design=DesignPicture("", np.eye(3), ("a", "b", "c"), ("1", "2", "3")),
)


@pytest.fixture
def form(shown) -> AskForm:
    made = shown(AskForm(), (360, 900))
    made.set_offer(OFFER)
    made.set_settings(AskSettings(kind="severity"), "pet")
    return made


def control(form: AskForm, kind: type, name: str):
    return next(part for part in form.findChildren(kind) if part.accessibleName() == name)


def visible(form: AskForm, kind: type, name: str) -> bool:
    return control(form, kind, name).isVisibleTo(form)


def test_without_a_study_the_form_offers_to_open_one(shown, qtbot):
    made = shown(AskForm())
    opens = control(made, QPushButton, "Open study folder…")
    assert opens.isVisibleTo(made)
    assert not made.buttons.isVisibleTo(made)
    with qtbot.waitSignal(made.open_requested):
        opens.click()


def type_in(field: NumberEdit, text: str) -> None:
    focus(field)
    field.selectAll()
    QTest.keyClick(field, Qt.Key.Key_Delete)
    QTest.keyClicks(field, text)
    QTest.keyClick(field, Qt.Key.Key_Return)


def test_each_question_shows_only_the_fields_that_belong_to_it(form):
    assert visible(form, Choice, "Score")
    assert visible(form, Choice, "Reference")
    assert not visible(form, Choice, "Arms")
    form.set_settings(AskSettings(kind="change"), "pet")
    assert visible(form, Choice, "Arms")
    assert visible(form, QCheckBox, "Change in percent")
    form.set_settings(AskSettings(kind="graph"), "degree")
    assert visible(form, Choice, "Density")
    assert visible(form, Choice, "Confounds")
    assert not visible(form, Choice, "Reference")


def test_only_pet_has_a_reference_and_only_runs_have_confounds():
    for kind in ("severity", "group", "change", "overlap", "prediction", "formula"):
        assert "reference" in fields_of(kind, "pet")
        assert "strategy" not in fields_of(kind, "pet")
        assert "strategy" in fields_of(kind, "degree")
        assert {"reference", "strategy"}.isdisjoint(fields_of(kind, "map"))
    assert fields_of("crossover", "") == FIELDS["crossover"]
    assert fields_of("", "pet") == frozenset()


def test_a_voxelwise_covariate_is_of_formulas_and_brings_the_choices_of_its_own_measure(form, qtbot):
    assert not visible(form, Choice, "Voxelwise")
    form.set_settings(AskSettings(kind="formula"), "pet")
    assert visible(form, Choice, "Voxelwise")
    assert not visible(form, Choice, "Confounds")
    with qtbot.waitSignal(form.changed) as told:
        take(control(form, Choice, "Voxelwise"), "dc = degree")
    assert told.args[0].voxelwise == "dc = degree"
    assert visible(form, Choice, "Confounds")
    form.set_settings(AskSettings(kind="formula", voxelwise="pet = pet"), "degree")
    assert visible(form, Choice, "Reference")
    form.set_settings(AskSettings(kind="severity", voxelwise="dc = degree"), "pet")
    assert not visible(form, Choice, "Confounds")
    form.set_offer(replace(OFFER, voxelwise=()))
    form.set_settings(AskSettings(kind="formula"), "pet")
    assert not visible(form, Choice, "Voxelwise")


def test_only_dynamic_pet_is_asked_for_its_frames(form, qtbot):
    assert not visible(form, NumberEdit, "Frames from")
    form.set_offer(replace(OFFER, has_frames=True))
    assert visible(form, NumberEdit, "Frames from")
    field = control(form, NumberEdit, "Frames to")
    with qtbot.waitSignal(form.changed) as told:
        type_in(field, "60")
    assert told.args[0].to_min == 60
    with qtbot.waitSignal(form.changed) as told:
        type_in(field, "")
    assert told.args[0].to_min is None
    form.set_settings(AskSettings(kind="severity"), "degree")
    assert not visible(form, NumberEdit, "Frames from")


def test_the_grid_is_a_file_or_that_of_most_scans(form, qtbot):
    choose, clear = (control(form, QAbstractButton, name) for name in ("Grid: choose", "Grid: none"))
    assert not clear.isVisibleTo(form)
    with qtbot.waitSignal(form.file_requested) as told:
        choose.click()
    assert told.args == ["grid"]
    form.set_settings(AskSettings(kind="severity", grid="/images/fine.nii"), "pet")
    assert control(form, DropField, "Grid").toolTip() == "/images/fine.nii"
    with qtbot.waitSignal(form.changed) as told:
        clear.click()
    assert told.args[0].grid == ""
    form.set_settings(AskSettings(kind="graph"), "degree")
    assert not visible(form, DropField, "Grid")


@pytest.mark.parametrize("kind", ["severity", "change", "graph", "formula"])
def test_the_form_needs_no_more_than_a_narrow_dock(shown, kind):
    form, area = AskForm(), QScrollArea()
    form.set_offer(replace(OFFER, has_frames=True))
    form.set_settings(AskSettings(kind=kind), "degree" if kind == "graph" else "pet")
    form.set_plan(PLAN)
    area.setWidgetResizable(True)
    area.setWidget(form)
    shown(area, (290, 900))
    QApplication.processEvents()
    width = area.viewport().width()
    assert form.width() == width
    outside = [
        part.accessibleName()
        for part in form.findChildren(QWidget)
        if part.isVisibleTo(form) and part.mapTo(form, part.rect().topRight()).x() >= width
    ]
    assert outside == []


def test_a_choice_is_told_with_all_settings(form, qtbot):
    with qtbot.waitSignal(form.changed) as told:
        take(control(form, Choice, "Question"), "Change")
    assert told.args[0].kind == "change"
    with qtbot.waitSignal(form.changed) as told:
        control(form, QCheckBox, "Change in percent").click()
    assert told.args[0] == AskSettings(kind="change", percent=True)


def test_a_question_that_cannot_be_asked_is_marked_and_says_why(form):
    box = control(form, Choice, "Question")
    offered = [box.itemText(n) for n in range(box.count())]
    assert offered == ["Severity", "Change", "Networks", "Formula", "Spectra – not here"]
    form.set_settings(AskSettings(kind="crossover"), "")
    form.set_plan(AskPlan(problem="This study has no spectra."))
    assert form.problem() == "This study has no spectra."
    assert not visible(form, Choice, "Score")
    assert not control(form, QPushButton, "Ask").isEnabled()
    assert form.texts() == ("",) * 5


def test_the_plan_is_shown_and_ticks_the_covariates_that_it_chose(form, qtbot):
    form.set_plan(PLAN)
    assert form.texts() == (PLAN.words, PLAN.formula, PLAN.n, PLAN.power, "sub-03 is left out.")
    assert form.design.isVisibleTo(form)
    names = control(form, QListWidget, "Covariates")
    assert [names.item(n).checkState() == Qt.CheckState.Checked for n in range(3)] == [True, False, False]
    with qtbot.waitSignal(form.changed) as told:
        names.item(2).setCheckState(Qt.CheckState.Checked)
    assert told.args[0].covariates == ("age", "site")
    with qtbot.waitSignal(form.changed) as told:
        control(form, QPushButton, "Choose by itself").click()
    assert told.args[0].covariates is None


def test_while_it_is_answered_the_button_cancels(form, qtbot):
    form.set_plan(PLAN)
    with qtbot.waitSignal(form.ask_requested):
        control(form, QPushButton, "Ask").click()
    form.set_progress(0.4)
    assert not control(form, QPushButton, "Ask").isVisibleTo(form)
    with qtbot.waitSignal(form.cancel_requested):
        control(form, QPushButton, "Cancel").click()
