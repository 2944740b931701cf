"""`habena ask`: one document, one folder, one sentence for whatever cannot be asked. What is answered is fabricated."""

from __future__ import annotations

import inspect
import math
from pathlib import Path
from typing import Any

import click
import habena as api
import numpy as np
import pandas as pd
import pytest
from command_line import document, done, habena, refused, strict_json
from fabricated_answer import EVIL, GRID, PEOPLE, ROWS, answered_of, plan_of, study_in, t_map
from habena.app import cli
from habena.app.problems import Cancelled, Problem
from habena.app.study import answering, kept, multiverse, planning, reading, report_figure
from habena.app.study.asking import Ask
from habena.app.study.values import Choices
from habena.app.study.wanted import KINDS, Wanted
from msgspec.structs import asdict
from numpy.testing import assert_array_equal


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study whose every question has the same answer."""
    study = study_in(tmp_path / "study")

    def read(place: str, report: Any = None) -> Any:
        if not Path(place).is_dir():
            raise Problem(place, "does not exist", "check the name")
        return study

    monkeypatch.setattr(reading, "read_study", read)
    monkeypatch.setattr(planning, "plan", lambda _, ask: plan_of(study, ask=ask))
    monkeypatch.setattr(answering, "answer", lambda plan, _: answered_of(study, plan=plan))
    monkeypatch.setattr(report_figure, "figure", lambda *_: b"\x89PNG picture")
    return study.folder


def planned(monkeypatch: pytest.MonkeyPatch) -> list[Ask]:
    """Every question that reaches planning from now on."""
    seen: list[Ask] = []
    real = planning.plan

    def note(study: Any, ask: Ask) -> Any:
        seen.append(ask)
        return real(study, ask)

    monkeypatch.setattr(planning, "plan", note)
    return seen


def test_the_document_has_the_fields_of_the_contract_in_their_order(folder: Path, tmp_path: Path) -> None:
    found = document("ask", folder, "change", "-o", tmp_path / "out")
    first = ["question", "simulated", "n", "model", "effect_name", "unit", "regions", "clusters", "files"]
    assert list(found)[: len(first)] == first
    assert list(found)[-1] == "warnings"
    assert set(found) == {*first, "r", "unknown", "warnings"}
    assert found["question"] == "change"
    assert found["simulated"] is True
    assert found["n"] == {"ketamine": 3, "excluded": 1}
    assert found["model"] == f"pet ~ improvement + Q('{EVIL}')"
    assert found["effect_name"] == "slope of SUVR change on improvement"
    assert found["unit"] == "SUVR per point"
    assert found["r"] == 0.25
    assert found["unknown"] is None


def test_every_region_is_listed_significant_or_not(folder: Path, tmp_path: Path) -> None:
    rows = document("ask", folder, "change", "-o", tmp_path / "out")["regions"]
    assert [set(row) for row in rows] == [
        {"region", "side", "atlas", "effect", "ci", "statistic", "p", "p_fwe"} for _ in ROWS
    ]
    assert rows[0] == {
        "region": "habenula",
        "side": "L",
        "atlas": "cit168",
        "effect": -0.5,
        "ci": [-0.9, -0.1],
        "statistic": -2.6,
        "p": 0.02,
        "p_fwe": 0.4,
    }
    assert rows[3]["effect"] is None
    assert rows[3]["ci"] == [None, None]


def test_rows_of_graphs_name_their_metric(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = tuple(row._replace(metric="degree") for row in ROWS)
    study = reading.read_study(str(folder))
    monkeypatch.setattr(answering, "answer", lambda plan, _: answered_of(study, plan=plan, regions=rows))
    found = document("ask", folder, "graph", "-o", tmp_path / "out")
    assert [row["metric"] for row in found["regions"]] == ["degree"] * 4


def test_files_are_those_that_were_written(folder: Path, tmp_path: Path) -> None:
    files = document("ask", folder, "change", "-o", tmp_path / "out")["files"]
    assert all(Path(file).is_file() for file in files)
    assert {Path(file).suffix for file in files} == {".gz", ".tsv", ".png", ".html", ".json"}


def test_warnings_are_of_plan_and_answer_each_once(folder: Path, tmp_path: Path) -> None:
    warnings = document("ask", folder, "change", "-o", tmp_path / "out")["warnings"]
    assert [each["code"] for each in warnings] == ["subject-left-out", "uncorrected"]


def test_people_read_words_a_table_and_files(folder: Path, tmp_path: Path) -> None:
    outcome = done("ask", folder, "change", "-o", tmp_path / "out")
    lines = outcome.out.splitlines()
    assert "simulated" in lines[0]
    assert "larger is better" in lines[1]
    start = next(k for k, line in enumerate(lines) if line.startswith("region"))
    heads = lines[start]
    assert "effect [SUVR per point]" in heads
    at = heads.index("95 % CI")
    assert [line[at] for line in lines[start + 1 : start + 4]] == ["[", "[", "["]
    assert len([line for line in lines if line.startswith("habenula")]) == 2
    assert "cluster of 4704 mm³" in outcome.out
    assert str(tmp_path / "out" / "report.html") in outcome.out
    assert "Nothing is corrected" in outcome.err


def test_every_kind_and_a_formula_can_be_asked(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = planned(monkeypatch)
    for kind in KINDS:
        assert document("ask", folder, kind, "-o", tmp_path / kind)["question"] == kind
    formula = "pet ~ group * age"
    assert document("ask", folder, formula, "-o", tmp_path / "f")["question"] == formula
    assert [ask.kind for ask in seen] == [*KINDS, "formula"]
    assert seen[-1].formula == formula


def test_options_become_the_question(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = planned(monkeypatch)
    words = """
    --score madrs_total --covariates age,sex --arm interaction --percent --baseline --sessions ses-pre,ses-post
    --measure degree --reference cerebellum --window 40,60 --fwhm 6 --run-fwhm 4 --mask m.nii --grid g.nii
    --density 0.1,0.2 --edges absolute --weighted --strategy motion24 --drop 4 --detrend 2 --band 0.01,0.1
    --columns csf,wm --censor 0.5 --metrics degree,clustering --voxelwise dc=degree --thresholds 0.01,0.05
    --exclude sub-T01,anna --variance by-group --permutations 99 --seed 3 --correction tfce --one-sided
    --cluster-threshold 0.01 --connectivity 26 --tfce-h 1.5 --tfce-e 0.7 --contrast x=0,1 --atlas cit168
    """
    options = [*words.split(), "--region", "Thalamus R", "--scaling", "global mean"]
    done("ask", folder, "change", *options, "-o", tmp_path / "out")
    (ask,) = seen
    assert (ask.score, ask.covariates, ask.arm, ask.percent, ask.baseline) == (
        *("madrs_total", ("age", "sex"), "interaction"),
        *(True, True),
    )
    assert ask.sessions == ("ses-pre", "ses-post")
    assert (ask.measure, ask.metrics, ask.within) == ("degree", ("degree", "clustering"), "Thalamus R")
    assert ask.voxelwise == (("dc", "degree"),)
    assert ask.thresholds == (0.01, 0.05)
    assert ask.exclude == ("sub-T01", "anna")
    assert (ask.variance, ask.contrasts, ask.densities) == ("by-group", ("x=0,1",), (0.1, 0.2))
    choices, run, inference = ask.choices, ask.choices.preparation, ask.inference
    assert (choices.reference, choices.window_min, choices.fwhm_mm) == ("cerebellum", (40.0, 60.0), 6.0)
    assert (choices.scaling, choices.mask, choices.grid) == ("global mean", "m.nii", "g.nii")
    assert (choices.strategy, choices.atlas, choices.density, choices.edges) == ("motion24", "cit168", 0.15, "absolute")
    assert choices.weighted
    assert (run.drop, run.fwhm_mm, run.detrend, run.band_hz) == (4, 4.0, 2, (0.01, 0.1))
    assert (run.columns, run.censor_fd_mm) == (("csf", "wm"), 0.5)
    assert (inference.permutations, inference.seed, inference.correction, inference.one_sided) == (99, 3, "tfce", True)
    assert (inference.cluster_p, inference.connectivity, inference.tfce_h, inference.tfce_e) == (0.01, 26, 1.5, 0.7)


def test_no_covariates_are_not_the_questions_own(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = planned(monkeypatch)
    done("ask", folder, "change", "-o", tmp_path / "a")
    done("ask", folder, "change", "--covariates", "none", "-o", tmp_path / "b")
    assert [ask.covariates for ask in seen] == [None, ()]


def test_choices_kept_with_the_study_count_only_when_asked_for(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = planned(monkeypatch)
    monkeypatch.setattr(kept, "choices_of", lambda _: Choices(fwhm_mm=8.0, reference="cerebellum"))
    done("ask", folder, "change", "-o", tmp_path / "a")
    done("ask", folder, "change", "--kept", "--fwhm", 6, "-o", tmp_path / "b")
    assert [(ask.choices.fwhm_mm, ask.choices.reference) for ask in seen] == [(0.0, None), (6.0, "cerebellum")]


USAGE = {
    "change": "no output is named; add -o FILE",
    "chnage -o OUT": "none named 'chnage'; choose from severity, group, change, overlap",
    "change --measure mri -o OUT": "'mri' is not one of",
    "change --variance some -o OUT": "'some' is not one of",
    "change --correction bonferroni -o OUT": "'bonferroni' is not one of",
    "change --connectivity 8 -o OUT": "'8' is not one of",
    "change --edges negative -o OUT": "'negative' is not one of",
    "change --scaling zscore -o OUT": "'zscore' is not one of",
    "change --fwhm -2 -o OUT": "--fwhm: -2 mm makes no sense",
    "change --fwhm wide -o OUT": "'wide' is not a valid float",
    "change --window 60,40 -o OUT": "--window: does not start before it ends",
    "change --window 60 -o OUT": "'60' is not START,END",
    "change --band 0.1 -o OUT": "'0.1' is not LO,HI",
    "change --thresholds 0.05 -o OUT": "'0.05' is not P,P",
    "overlap --thresholds 0.05,2 -o OUT": "--thresholds: 2 is out of range",
    "graph --density 0.1,wide -o OUT": "'0.1,wide' is not D[,D..]",
    "graph --density 15 -o OUT": "--density: 15 is out of range",
    "graph --density 0.1 --r 0.2 -o OUT": "two ways to cut the same graph",
    "change --voxelwise degree -o OUT": "'degree' is not NAME=MEASURE or NAME=FILE",
    "change --sessions a,b,c -o OUT": "--sessions: 3 are named",
    "change --permutations -1 -o OUT": "--permutations: -1 makes no sense",
    "change --correction tfce -o OUT": "tfce needs permutations",
    "change --seed -1 -o OUT": "--seed: -1 is no seed",
    "change --cluster-threshold 0.7 -o OUT": "--cluster-threshold: 0.7 is no p",
}


@pytest.mark.parametrize("usage", USAGE)
def test_a_call_that_makes_no_sense_is_refused_in_one_sentence(usage: str, folder: Path, tmp_path: Path) -> None:
    words = [str(tmp_path / "out") if word == "OUT" else word for word in usage.split()]
    assert USAGE[usage] in refused("ask", folder, *words)
    assert not (tmp_path / "out").exists()


def test_a_question_that_cannot_be_answered_says_why(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(study: Any, ask: Ask) -> None:
        raise Problem("--score", f"has no column {ask.score}", "choose from madrs_total")

    monkeypatch.setattr(planning, "plan", refuse)
    message = refused("ask", folder, "change", "--score", "madrs", "-o", tmp_path / "out")
    assert "--score: has no column madrs; choose from madrs_total" in message
    assert not (tmp_path / "out").exists()


def test_a_study_that_is_not_there_is_refused(folder: Path, tmp_path: Path) -> None:
    assert "does not exist" in refused("ask", tmp_path / "nowhere", "change", "-o", tmp_path / "out")


def test_output_within_the_study_is_refused_before_any_work(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "read_study", pytest.fail)
    before = sorted(folder.rglob("*"))
    for out in (folder, folder / "derivatives", folder / "derivatives" / "habena"):
        assert "lies in the study, which is never written to" in refused("ask", folder, "change", "-o", out)
    assert sorted(folder.rglob("*")) == before


def test_output_over_other_things_is_refused_before_any_work(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "read_study", pytest.fail)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("words")
    assert "holds other things" in refused("ask", folder, "change", "-o", tmp_path / "mine")
    assert "is a file" in refused("ask", folder, "change", "-o", tmp_path / "mine" / "thesis.txt")
    assert "does not exist" in refused("ask", folder, "change", "-o", tmp_path / "no" / "out")


@pytest.mark.parametrize("stopped", [KeyboardInterrupt, Cancelled])
def test_a_cancelled_question_ends_with_130_and_leaves_nothing(
    stopped: type[BaseException], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise stopped

    monkeypatch.setattr(report_figure, "figure", stop)  # when the maps are written already
    assert habena("ask", folder, "change", "-o", tmp_path / "out") == (130, "", "")
    assert not (tmp_path / "out").exists()


# -- as Python


def test_the_call_gives_what_the_command_gives(folder: Path, tmp_path: Path) -> None:
    found = api.ask(folder, "change", out=tmp_path / "out")
    told = document("ask", folder, "change", "-o", tmp_path / "out")
    assert strict_json(found.json()) == told


def test_without_a_folder_nothing_is_written(folder: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    found = api.ask(folder, "change")
    assert found.files == ()
    assert sorted(tmp_path.rglob("*")) == before
    assert found.words.startswith("Simulated data. Nothing survives")
    assert [finding.code for finding in found.findings] == ["subject-left-out", "uncorrected"]


def test_regions_are_a_table_and_maps_are_images(folder: Path) -> None:
    found = api.ask(folder, "change")
    assert found.regions["region"].tolist() == [row.region for row in ROWS]
    assert found.regions["p_fwe"].isna().tolist() == [False, False, False, True]
    assert found.regions.loc[0, "note"] == "keeps 12 % of its own signal"
    assert math.isclose(found.regions.loc[2, "ci_high"], 2.0)
    image = found.maps["t"]
    assert_array_equal(np.asarray(image.dataobj), t_map())
    assert_array_equal(image.affine, GRID.affine)


def test_a_plan_needs_no_images(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "answer", pytest.fail)
    made = api.plan(folder, "change", covariates="age", fwhm=6, density=0.2)
    assert made.ask.covariates == ("age",)
    assert made.ask.choices.fwhm_mm == 6
    assert made.ask.choices.density == 0.2
    with pytest.raises(TypeError, match="wrong"):
        api.plan(folder, "change", wrong=1)


def test_a_study_can_be_read(folder: Path) -> None:
    assert api.read_study(folder).participants["participant_id"].tolist() == list(PEOPLE)


def options_of_the_command() -> dict[str, click.Parameter]:
    command = cli.habena.get_command(click.Context(cli.habena), "ask")
    assert command is not None
    return {str(option.name): option for option in command.params if option.name != "as_json"}


def test_every_option_of_the_command_is_a_keyword_of_the_call() -> None:
    parameters = inspect.signature(api.ask).parameters
    assert set(options_of_the_command()) == set(parameters)
    assert set(Wanted.__struct_fields__) == set(parameters) - {"folder", "question", "out"}


def test_defaults_of_the_command_the_call_and_the_options_are_the_same() -> None:
    parameters, fields = inspect.signature(api.ask).parameters, asdict(Wanted())
    for name, option in options_of_the_command().items():
        if name in fields:
            default = option.get_default(click.Context(cli.habena))
            default = default or None if isinstance(default, bool | int | float | str) else None
            default = int(str(default)) if name == "connectivity" else default
            assert (fields[name] or None) == (parameters[name].default or None) == default, name


# -- the same question under other choices


def test_other_choices_are_refused_where_they_do_not_bear_on_the_question(folder: Path, tmp_path: Path) -> None:
    assert "--multiverse: is of graphs, not of change" in refused(
        "ask", folder, "change", "--multiverse", "-o", tmp_path / "out"
    )
    graph = ("--measure", "regions", "--sensitivity")
    assert "--sensitivity: is to reference regions of PET" in refused(
        "ask", folder, "graph", *graph, "-o", tmp_path / "out"
    )


def test_sensitivity_asks_again_for_every_reference_region_and_counts_what_stays(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = planned(monkeypatch)
    study = reading.read_study(str(folder))

    def answer(plan: Any, report: Any) -> Any:
        report(1.0)
        turned = -1 if plan.ask.choices.reference == "cerebellum" else 1
        first = ROWS[0]._replace(effect=turned * ROWS[0].effect)
        return answered_of(study, plan=plan, regions=(first, *ROWS[1:3]))

    monkeypatch.setattr(answering, "answer", answer)
    found = document("ask", folder, "change", "--measure", "pet", "--sensitivity", "-o", tmp_path / "out")
    references = ["white matter", "cerebellum", "whole brain"]
    assert [ask.choices.reference for ask in seen] == [None, *references]
    assert found["sensitivity"] == {
        "references": references,
        "regions": 3,
        "same_direction": 2,
        "p_below_05_in_all": 1,
    }
    table = pd.read_csv(tmp_path / "out" / "desc-change_sensitivity.tsv", sep="\t")
    assert table["reference"].tolist() == [name for name in references for _ in range(3)]
    assert table["effect"].tolist()[::3] == [-0.5, 0.5, -0.5]
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "2 of 3 regions keep their direction, and 1 of them have an uncorrected p &lt; .05 each time." in page


def test_the_multiverse_is_a_table_beside_the_answer(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = pd.DataFrame({"target": ["thalamus R, degree"] * 2, "atlas": ["aal2"] * 2, "effect": [0.5, -0.1]})
    summary = pd.DataFrame({"target": ["thalamus R, degree"], "universes": [2], "share_positive": [0.5]})
    made = multiverse.Multiverse(table, summary, ("Half of 2 universes.",), ())
    monkeypatch.setattr(multiverse, "multiverse", lambda *_, **__: made)
    found = document("ask", folder, "graph", "--multiverse", "-o", tmp_path / "out")
    assert found["multiverse"] == [{"target": "thalamus R, degree", "universes": 2, "share_positive": 0.5}]
    names = {Path(file).name for file in found["files"]}
    assert {"desc-graph_multiverse.tsv", "desc-graph_multiverseSummary.tsv"} <= names
    assert "Half of 2 universes." in (tmp_path / "out" / "report.html").read_text("utf-8")
