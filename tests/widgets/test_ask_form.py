"""The form of a question: fields that belong to it, why it cannot be asked, and what is planned."""

from __future__ import annotations

import numpy as np
import pytest
from habena.widgets.ask_form import AskForm
from habena.widgets.ask_settings import FIELDS, AskOffer, AskPlan, AskSettings, fields_of
from habena.widgets.controls import Choice
from habena.widgets.model_design import DesignPicture
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QListWidget, QPushButton
from widget_events import take

OFFER = AskOffer(
    questions=(
        ("severity", "Severity", ""),
        ("change", "Change", ""),
        ("graph", "Networks", ""),
        ("crossover", "Spectra", "has no spectra"),
    ),
    scores=(("madrs_total", "MADRS"), ("hamd17_total", "HAMD-17")),
    measures=(("", "what fits"), ("pet", "PET")),
    arms=(("drug", "drug"), ("placebo", "placebo")),
    sessions=(("ses-pre", "pre"), ("ses-post", "post")),
    references=(("", "suggested"), ("cerebellum", "cerebellum")),
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


def test_a_choice_is_told_with_all_settings(form, qtbot):
    with qtbot.waitSignal(form.changed) as told:
        take(control(form, Choice, "Question"), "Change")
    assert told.args[0].kind == "change"
    with qtbot.waitSignal(form.changed) as told:
        control(form, QCheckBox, "Change in percent").click()
    assert told.args[0] == AskSettings(kind="change", percent=True)


def test_a_question_that_cannot_be_asked_is_marked_and_says_why(form):
    box = control(form, Choice, "Question")
    assert [box.itemText(n) for n in range(box.count())] == ["Severity", "Change", "Networks", "Spectra – not here"]
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
