"""What the answer panel is given: sentences, rows, plots and tables of an answer; nothing of what is hidden."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fabricated_answer import ROWS, answered_of, plan_of, study_in
from habena.app.answers import Answer
from habena.app.display import wants_colour_bar
from habena.app.layers import outline_of
from habena.app.panels.ask_layers import with_masks, write_masks
from habena.app.panels.ask_question import LIMITS, ask_of, first_settings, offer_of, quality_of
from habena.app.panels.ask_show import free_folder, place_of
from habena.app.panels.ask_words import more_of, table_of, view_of
from habena.app.state import ViewState
from habena.app.study.answers import Answered, RegionRow
from habena.app.study.blinding import Blinding, blinding_of, new_kept
from habena.app.study.spectra import Limits, limits_of
from habena.app.study.values import Choices, Study
from habena.widgets.ask_settings import AskOffer, AskSettings
from msgspec.structs import replace as changed


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return study_in(tmp_path / "four")


def of_kind(study: Study, kind: str, **changes: object) -> Answered:
    plan = plan_of(study)
    return answered_of(study, plan=replace(plan, ask=changed(plan.ask, kind=kind, measure="pet")), **changes)


@pytest.fixture
def blinding(study: Study) -> Blinding:
    return blinding_of(study, new_kept())


def test_every_region_is_a_row_and_a_table_of_clusters_stands_beside(study):
    view = view_of(answered_of(study), None)
    assert [(each.name, each.side) for each in view.regions] == [(row.region, row.side) for row in ROWS]
    assert view.regions[0].note == "keeps 12 % of its own signal; cit168"
    assert view.about == "Effect: slope of SUVR change on improvement, in SUVR per point. 3 ketamine; 1 left out."
    assert [table.key for table in view.tables] == ["clusters", "people"]
    assert "Thalamus R" in view.tables[0].rows[0][0]


def test_while_permutations_are_counted_it_says_so(study):
    assert not any("being counted" in each for each in view_of(answered_of(study), None).words)
    assert "being counted" in view_of(answered_of(study), None, so_far=True).words[1]


def test_no_name_is_left_in_a_blinded_answer(study, blinding):
    view = view_of(answered_of(study), blinding)
    said = [*view.words, *view.notes, view.title, view.about, *(str(table.rows) for table in view.tables)]
    assert not any(name in text for text in said for name in ("sub-T01", "sub-T10", "anna"))
    assert any(blinding.shown_name("sub-T10") in note for note in view.notes)


def test_a_prediction_is_a_plot_of_people_with_its_numbers_below(study, blinding):
    table = pd.DataFrame({"participant_id": ["sub-T01", "anna"], "observed": [4.0, 9.0], "predicted": [5.0, 7.0]})
    made = of_kind(study, "prediction", tables={"prediction": table}, details={"r": 0.5, "mae": 1.5, "p": 0.04})
    (plot,) = view_of(made, None).plots
    assert plot.identity
    assert plot.below == "Out of sample: r = 0.50, mean absolute error 1.5 points, p = 0.04."
    assert plot.series[0].x.tolist() == [5.0, 7.0]
    assert plot.series[0].labels[1] == "anna: observed 9, predicted 7"
    assert plot.series[0].keys == ("sub-T01", "anna")
    (hidden,) = view_of(made, blinding).plots
    assert "anna" not in str(hidden.series[0].labels)


def test_a_time_course_has_a_line_for_each_condition_and_words_as_ticks(study):
    frame = pd.DataFrame(
        {
            "condition": ["drug", "drug", "placebo", "placebo"],
            "time": ["baseline", "day1"] * 2,
            "mean": [1.0, 2, 3, 4],
            "lo": [0.0, 1, 2, 3],
            "hi": [2.0, 3, 4, 5],
            "n": [5, 5, 4, 4],
        }
    )
    numbers = frame.rename(columns={"time": "time_min"}).assign(time_min=[-5.0, 10.0] * 2)
    made = of_kind(study, "crossover", tables={"time_course": numbers, "score_time_course": frame})
    of_numbers, of_words = view_of(made, None).plots
    assert [each.name for each in of_numbers.series] == ["drug", "placebo"]
    assert of_numbers.series[0].x.tolist() == [-5.0, 10.0]
    assert of_numbers.ticks == ()
    assert of_words.ticks == ((0.0, "baseline"), (1.0, "day1"))
    assert of_words.series[1].labels[1] == "day1: 4 [3, 5], n = 4"


def test_other_choices_are_offered_once_and_drawn_in_the_order_of_t(study):
    made = of_kind(study, "graph")
    assert more_of(made) == "multiverse"
    rows = [("angular L", "aal2", "10 %", "none", n, e, e - 1, e + 1, e / 2, 0.1) for n, e in ((2, 3.0), (1, -1.0))]
    names = ["target", "atlas", "density", "strategy", "order", "effect", "ci_low", "ci_high", "t", "p"]
    more = replace(made, tables={"multiverse": pd.DataFrame(rows, columns=names)})
    assert more_of(more) == ""
    (curve,) = view_of(more, None).plots
    assert curve.series[0].y.tolist() == [-1.0, 3.0]
    assert curve.zero
    assert more_of(of_kind(study, "severity")) == "sensitivity"
    assert more_of(of_kind(study, "overlap")) == ""


def test_cells_of_tables_keep_their_kinds():
    frame = pd.DataFrame({"n": [1, 2], "p": [0.5, np.nan], "used": [True, False], "ci": [(0.5, 1.0), None]})
    table = table_of("terms", frame)
    assert [column.kind for column in table.columns] == ["integer", "number", "text", "text"]
    assert table.rows == ((1, 0.5, "yes", "0.5 to 1"), (2, None, "no", ""))


def test_the_masks_of_an_overlap_are_layers_of_three_colours_each(study):
    grid = answered_of(study).maps["t"][1]
    values = np.zeros(grid.shape, np.float32)
    values[4:8, 5, 5], values[6:10, 5, 6], values[12, 12, 12] = 1, 2, 3
    made = of_kind(study, "overlap", maps={"overlap_low_plus": (values, grid), "overlap_high_minus": (values, grid)})
    masks = write_masks(made, study)
    view = with_masks(ViewState(), masks, frozenset(), frozenset())
    colours = ["blue", "orange", "green", "warm", "orange", "blue", "green", "warm"]
    assert [each.colours.name for each in view.overlays] == colours
    assert [each.visible for each in view.overlays] == [True] * 4 + [False] * 4
    assert np.allclose(view.crosshair_mm, grid.mm_of(np.array([12, 12, 12])))
    again = with_masks(view, masks, frozenset(each.key for each in view.overlays), frozenset())
    assert len(again.overlays) == 8


def test_places_where_both_are_have_a_white_line_and_no_colour_bar(study):
    values, grid = answered_of(study).maps["t"]
    masks = write_masks(of_kind(study, "overlap", maps={"overlap_low_plus": (np.full_like(values, 3), grid)}), study)
    line = with_masks(ViewState(), masks, frozenset(), frozenset()).overlays[-1]
    assert outline_of(line) == (255, 255, 255)
    answer = Answer("overlap", image=None)
    assert not wants_colour_bar(line, answer)
    assert wants_colour_bar(changed(line, opacity=0.5), answer)


def test_the_middle_of_a_region_lies_on_its_side():
    left = place_of(RegionRow("habenula", "L", "cit168", 1.0, (0.0, 2.0), 1.0, 0.1, None))
    right = place_of(RegionRow("Precentral", "R", "aal2", 1.0, (0.0, 2.0), 1.0, 0.1, None, "degree"))
    assert left[0] < 0 < right[0]
    assert abs(left[0]) < 8
    assert place_of(RegionRow("condition", "", "", 1.0, (0.0, 2.0), 1.0, 0.1, None)) is None


def test_an_answer_never_goes_among_other_files(study, tmp_path):
    folder = tmp_path / "mine"
    assert free_folder(folder, study.folder, answered_of(study)) == folder
    folder.mkdir()
    (folder / "thesis.txt").write_text("dear")
    assert free_folder(folder, study.folder, answered_of(study)) == folder / "four-change"
    (folder / "four-change").mkdir()
    assert free_folder(folder, study.folder, answered_of(study)) == folder / "four-change-2"


def test_limits_of_spectra_go_from_the_form_into_the_question(study):
    assert quality_of(AskSettings()) == ()
    settings = AskSettings(kind="crossover", linewidth_hz=None, snr=20.0)
    assert limits_of(ask_of(study, settings, Choices(), {}).quality) == Limits(linewidth_hz_max=None, snr_min=20.0)
    assert set(LIMITS.values()) <= set(AskSettings.__dataclass_fields__)


def test_the_form_begins_with_what_can_be_asked_and_the_choices_of_the_study(study):
    offer = offer_of(study, (("aal2", "AAL2"),), None)
    settings = first_settings(offer, Choices(reference="cerebellum", fwhm_mm=6.0))
    assert (settings.reference, settings.fwhm_mm) == ("cerebellum", 6.0)
    assert {kind: why for kind, _, why in offer.questions}[settings.kind] == ""
    asked = ask_of(study, replace(settings, exclude="P1, sub-T02"), Choices(), {"P1": "sub-T01"})
    assert asked.exclude == ("sub-T01", "sub-T02")
    assert asked.choices.reference == "cerebellum"
    assert asked.choices.preparation.fwhm_mm == 6.0


def test_where_nothing_can_be_asked_the_form_begins_with_a_question_that_says_why() -> None:
    offer = AskOffer(questions=(("severity", "Severity", "has no images"), ("group", "Groups", "has no images")))
    assert first_settings(offer, Choices()).kind == "severity"
    assert first_settings(AskOffer(), Choices()).kind == ""
