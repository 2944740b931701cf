"""The command line and the Python call of a report ask the same question again."""

from __future__ import annotations

import ast
import math
import shlex
from typing import Any, get_args

import click
import habena
import pytest
from habena.app import cli
from habena.app.models import Correction, Inference
from habena.app.preparation import Preparation
from habena.app.problems import Problem
from habena.app.study import asked
from habena.app.study.asking import Ask
from habena.app.study.report_repeat import command_line, python_call
from habena.app.study.rows import Measure
from habena.app.study.values import Choices
from habena.app.study.wanted import KINDS, Wanted, ask_of, kind_of
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

word = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
words = st.lists(word, max_size=3, unique=True).map(tuple)
share = st.floats(0.001, 0.4)
preparations = st.builds(
    Preparation,
    st.integers(0, 9),
    st.sampled_from([0.0, 4.0, 6.5]),
    st.integers(0, 3),
    st.none() | st.just((0.01, 0.1)),
    st.none(),
    words,
    st.none() | share,
    st.none() | word,
)
choices = st.builds(
    Choices,
    grid=st.none() | word,
    fwhm_mm=st.sampled_from([0.0, 4.0, 6.5]),
    mask=st.none() | word,
    reference=st.none() | word,
    window_min=st.none() | st.just((40.0, 60.5)),
    scaling=st.sampled_from(["none", "global mean"]),
    preparation=preparations,
    strategy=st.just("") | word,
    atlas=word,
    density=st.sampled_from([0.15, 0.2]),
    edges=st.sampled_from(["positive", "absolute"]),
    weighted=st.booleans(),
)


def planned(ask: Ask) -> Ask:
    """A plan of a graph names the density that was chosen."""
    chosen = ask.choices.density
    return replace(ask, densities=(chosen,)) if ask.kind == "graph" and chosen not in {None, 0.15} else ask


asks = st.builds(
    Ask,
    st.just("study"),
    st.sampled_from(sorted(set(KINDS) - {"overlap"})),
    choices,
    measure=st.none() | st.sampled_from(get_args(Measure)),
    score=st.just("") | word,
    covariates=st.none() | words,
    arm=word,
    percent=st.booleans(),
    baseline=st.booleans(),
    variance=st.sampled_from(["pooled", "by-group"]),
    sessions=st.sampled_from([(), ("ses-pre",), ("ses-pre", "ses-post")]),
    contrasts=st.sampled_from([(), ("d=0 1 -1", "age=age")]),
    metrics=words,
    voxelwise=st.sampled_from([(), (("dc", "degree"),)]),
    exclude=words,
    within=st.none() | word,
    quality=st.sampled_from([(), (("snr_min", 10.5), ("crlb_percent_max", math.inf))]),
    inference=st.builds(
        Inference,
        st.integers(0, 5000),
        st.integers(0, 99),
        st.sampled_from([name for name in get_args(Correction) if name in {"none", "fdr"}]),
        share,
        st.sampled_from([6, 18, 26]),
        st.floats(0.5, 3),
        st.floats(0.5, 3),
        st.booleans(),
    ),
).map(planned)


def parsed(line: str) -> tuple[str, str, dict[str, Any]]:
    """Folder, question and options as the command understands them."""
    program, name, *rest = shlex.split(line)
    assert (program, name) == ("habena", "ask")
    command = cli.habena.get_command(click.Context(cli.habena), "ask")
    assert command is not None
    given = dict(command.make_context("ask", rest, parent=click.Context(cli.habena)).params)
    assert given.pop("out") == "OUT"
    given.pop("as_json")
    given["connectivity"] = int(given["connectivity"])
    return given.pop("folder"), given.pop("question"), given


@settings(max_examples=40)
@given(asks)
def test_the_command_line_asks_the_same(ask: Ask) -> None:
    folder, question, options = parsed(command_line(ask, names=True))
    assert ask_of(folder, question, Wanted(**options)) == ask


@settings(max_examples=40)
@given(asks)
def test_the_python_call_asks_the_same(ask: Ask) -> None:
    called: list[Ask] = []

    def note(folder: str, question: str, wanted: Wanted, out: str | None) -> None:
        assert out is None
        called.append(ask_of(folder, question, wanted))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asked, "ask", note)
        call = ast.parse(python_call(ask, names=True), mode="eval").body
        assert isinstance(call, ast.Call)
        arguments = [ast.literal_eval(each) for each in call.args]
        habena.ask(*arguments, **{str(each.arg): ast.literal_eval(each.value) for each in call.keywords})
    assert called == [ask]


def test_overlaps_graphs_and_formulas_are_repeated_with_their_own_options() -> None:
    for ask in (
        Ask("study", "overlap", thresholds=(0.01, 0.05)),
        Ask("study", "graph", Choices(), densities=(0.1, 0.2, 0.3)),
        Ask("study", "graph", Choices(density=None, r=0.25)),
        Ask("study", "graph", densities=(0.15,)),
        Ask("study", "formula", formula="pet ~ group * center(age)", contrasts=("x=1 0 0 0",)),
    ):
        folder, question, options = parsed(command_line(ask))
        assert ask_of(folder, question, Wanted(**options)) == ask


def test_people_left_out_are_counted_not_named_and_places_are_told_by_their_last_names() -> None:
    ask = Ask("/data/anna/study", "change", Choices(mask="/data/anna/mask.nii"), exclude=("sub-anna", "sub-b"))
    for told in (command_line(ask), python_call(ask)):
        assert "anna" not in told
        assert "NAMES of 2" in told
        assert "mask.nii" in told
    assert "sub-anna" in command_line(ask, names=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fwhm": -1.0}, "--fwhm: -1 mm makes no sense"),
        ({"run_fwhm": float("nan")}, "--run-fwhm: nan mm"),
        ({"thresholds": (0.05, 1.0)}, "--thresholds: 1 is out of range"),
        ({"density": (0.0,)}, "--density: 0 is out of range"),
        ({"density": (0.1,), "r": 0.3}, "two ways to cut"),
        ({"window": (60.0, 40.0)}, "--window: does not start before it ends"),
        ({"sessions": ("a", "b", "c")}, "--sessions: 3 are named"),
        ({"drop": -1}, "--drop: -1"),
        ({"detrend": -1}, "--detrend: -1"),
        ({"permutations": -1}, "--permutations: -1"),
    ],
)
def test_options_that_make_no_sense_are_refused_by_name(options: dict[str, Any], message: str) -> None:
    with pytest.raises(Problem, match=message):
        ask_of("study", "change", Wanted(**options))


def test_an_unknown_question_is_refused_with_those_there_are() -> None:
    with pytest.raises(Problem, match="none named 'chnage'; choose from severity, group, change"):
        kind_of("chnage")
    assert [kind_of(kind) for kind in KINDS] == list(KINDS)
    assert kind_of("pet ~ age") == "formula"


def test_smoothing_is_of_maps_and_runs_unless_runs_have_their_own() -> None:
    both = ask_of("study", "change", Wanted(fwhm=6.0)).choices
    assert (both.fwhm_mm, both.preparation.fwhm_mm) == (6.0, 6.0)
    apart = ask_of("study", "change", Wanted(fwhm=6.0, run_fwhm=0.0)).choices
    assert (apart.fwhm_mm, apart.preparation.fwhm_mm) == (6.0, 0.0)


def test_what_is_kept_with_a_study_stays_where_nothing_else_is_said() -> None:
    kept = Choices(fwhm_mm=8.0, reference="cerebellum", atlas="cit168")
    made = ask_of("study", "change", Wanted(reference="white matter"), kept).choices
    assert (made.fwhm_mm, made.reference, made.atlas) == (8.0, "white matter", "cit168")
