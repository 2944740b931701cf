"""Questions made exact: defaults, refusals, and each trap once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from habena.app.grid import Grid
from habena.app.problems import Problem
from habena.app.study import plan_parts
from habena.app.study.answers import Plan as Planned
from habena.app.study.asking import Ask, Kind
from habena.app.study.plan_arms import difference
from habena.app.study.planning import plan, possible_questions
from habena.app.study.reading import read_study
from habena.app.study.region_set import (
    kept_share,
    named_regions,
    on_grid,
    outline,
    region_means,
    ring_means,
    volume_mm3,
)
from habena.app.study.sensitivity import sensitivity
from question_study import AFFINE, SHAPE, Plan, draw, mm, write

GRID = Grid(SHAPE, AFFINE)


@pytest.fixture(autouse=True)
def _caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CACHE", "CONFIG", "DATA"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / "home"))


def planned(folder: Path, made: Plan, kind: Kind, **more: Any) -> Planned:
    study = read_study(folder if folder.exists() else write(folder, made))
    return plan(study, Ask(study=str(folder), kind=kind, **more))


def codes(found: Planned) -> Counter[str]:
    return Counter(each.code for each in found.findings)


def test_defaults_are_filled_and_said(tmp_path: Path) -> None:
    made = draw(1)
    made.without_post = {"sub-T03"}
    found = planned(tmp_path / "s", made, "change")
    assert found.ask.score == "madrs_total"
    assert found.ask.sessions == ("ses-pre", "ses-post")
    assert found.ask.covariates == ("age", "sex")
    assert found.formula == "suvr_change ~ madrs_total_improvement + arm + age + sex"
    assert found.words == (
        "SUVR change (post less pre) as a function of improvement in MADRS (pre less post; larger is better), arms "
        "pooled (one slope, a mean of each), adjusted for age and sex, in 15 people (7 ketamine, 8 placebo)."
    )
    assert dict(found.n) == {"ketamine": 7, "placebo": 8, "excluded": 1}
    assert any("sub-T03 is left out" in each.message for each in found.findings)
    assert found.models[0].study is not None
    assert found.models[0].study.where == (("group", "TRD"),)


def test_questions_that_cannot_be_answered_say_why(tmp_path: Path) -> None:
    made = draw(2)
    made.without_post = set(made.scores["participant_id"])
    study = read_study(write(tmp_path / "s", made))
    found = {each.kind: each for each in possible_questions(study)}
    assert found["severity"].possible
    assert found["group"].possible
    assert not found["change"].possible
    assert "one session only" in found["change"].why
    assert not found["crossover"].possible
    assert "spectra" in found["crossover"].why


def test_one_group_or_a_constant_score_is_no_question(tmp_path: Path) -> None:
    made = draw(3, healthy=0)
    made.scores["pre"] = 30
    study = read_study(write(tmp_path / "s", made))
    found = {each.kind: each for each in possible_questions(study)}
    assert "no healthy people" in found["group"].why
    assert "30 in everybody" in found["severity"].why


def test_each_trap_fires_once_and_only_where_it_applies(tmp_path: Path) -> None:
    made = draw(4)
    made.people["site"] = ["A", "B"] * 8 + ["C"] * 12
    group = codes(planned(tmp_path / "s", made, "group"))
    assert group["group-is-site"] == 1
    assert group["collinear-covariate"] == 1
    assert group["interaction-first"] == 0
    assert group["shared-data"] == 0
    change = codes(planned(tmp_path / "s", made, "change", arm="ketamine"))
    assert (change["interaction-first"], change["shared-data"], change["power"], change["partial-volume"]) == (
        1,
        1,
        1,
        1,
    )
    assert change["group-is-site"] == 0
    assert codes(planned(tmp_path / "s", made, "change"))["interaction-first"] == 0


def test_constant_and_costly_covariates_are_dropped_and_named(tmp_path: Path) -> None:
    made = draw(5)
    made.people["sex"] = "F"
    made.people["site"] = ["A", "B", "C", "D"] * 7
    found = planned(tmp_path / "s", made, "severity")
    assert found.ask.covariates == ("age",)
    assert codes(found)["constant-covariate"] == 1
    assert codes(found)["costly-covariate"] == 1
    asked = planned(tmp_path / "s", made, "severity", covariates=("age", "site"))
    assert asked.ask.covariates == ("age", "site")
    with pytest.raises(Problem, match="no covariate height"):
        planned(tmp_path / "s", made, "severity", covariates=("height",))


def test_an_arm_with_one_person_is_named_and_has_no_interaction(tmp_path: Path) -> None:
    made = draw(6)
    made.people.loc[:15, "arm"] = ["ketamine"] * 15 + ["placebo"]
    assert codes(planned(tmp_path / "s", made, "change"))["arm-of-one"] == 1
    with pytest.raises(Problem, match="two arms of more than"):
        planned(tmp_path / "s", made, "change", arm="interaction")
    with pytest.raises(Problem, match="no arm opium"):
        planned(tmp_path / "s", made, "change", arm="opium")


def test_unknown_names_list_what_there_is(tmp_path: Path) -> None:
    made = draw(7)
    for more, said in (
        ({"score": "hamd"}, "choose from madrs_total"),
        ({"sessions": ("ses-later",)}, "choose from ses-pre, ses-post"),
        ({"measure": "degree"}, "choose from pet"),
        ({"exclude": ("sub-X",)}, "no sub-X"),
        ({"percent": True, "baseline": True}, "ask for one of them"),
    ):
        with pytest.raises(Problem, match=said):
            planned(tmp_path / "s", made, "change", **more)


def test_excluded_people_leave_the_counts(tmp_path: Path) -> None:
    found = planned(tmp_path / "s", draw(8), "severity", exclude=("sub-T01", "sub-H01"))
    assert dict(found.n) == {"TRD": 15, "excluded": 1}
    assert found.models[0].exclude == ("sub-T01",)


def test_the_comparison_of_levels_follows_their_coding() -> None:
    assert difference("arm", ["ketamine", "placebo"], "ketamine", "placebo") == "-1*arm[T.placebo]"
    assert difference("group", ["HC", "TRD"], "TRD", "HC") == "group[T.TRD]"
    assert difference("g", ["a", "b", "c"], "c", "b", "x:") == "x:g[T.c] - x:g[T.b]"


def test_named_regions_lie_on_their_side_and_weigh_one() -> None:
    regions = named_regions()
    assert len(regions) == 24
    for region, piece in zip(regions, on_grid(regions, GRID), strict=True):
        x = float(piece.share @ mm()[piece.voxels, 0])
        assert (x < 0) == (region.side == "L"), region.title
        assert piece.share.sum() == pytest.approx(1)


def test_a_region_mean_is_that_of_a_linear_map_at_its_centre() -> None:
    ramp = mm()[None, :, 0]
    found = region_means(ramp, GRID)
    titles = [region.title for region in named_regions()]
    assert found.means[0, titles.index("habenula R")] == pytest.approx(3.6, abs=1.5)
    assert found.means[0, titles.index("angular gyrus L")] == pytest.approx(-44, abs=1)
    np.testing.assert_allclose(found.covered, 1)
    half = np.flatnonzero(ramp[0] < 0)
    of_half = region_means(ramp[:, half], GRID, voxels=half)
    at = titles.index("frontal lobe L")
    assert of_half.means[0, at] == pytest.approx(found.means[0, at], rel=0.05)
    assert of_half.covered[titles.index("frontal lobe R")] < 0.05


@pytest.mark.parametrize(("fwhm", "kept"), [(4, 0.25), (5, 0.17), (6, 0.12), (8, 0.07), (10, 0.04)])
def test_a_habenula_keeps_what_was_measured(fwhm: float, kept: float) -> None:
    assert kept_share(named_regions()[0], fwhm) == pytest.approx(kept, abs=0.011)


def test_a_ring_leaves_its_region_out() -> None:
    habenula = named_regions()[0]
    fine = Grid((60, 60, 60), np.array([[1.0, 0, 0, -30], [0, 1, 0, -50], [0, 0, 1, -25], [0, 0, 0, 1]]))
    inside = np.zeros(60**3)
    inside[on_grid([habenula], fine)[0].voxels] = 1
    assert ring_means(inside[None], fine, habenula, 6.0)[0] == 0
    assert region_means(inside[None], fine, [habenula]).means[0, 0] == 1


def test_a_question_under_several_references_says_what_survives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("habena.app.study.region_rows.LEAST_PERMUTATIONS", 9)
    folder = write(tmp_path / "s", draw(9))
    found = sensitivity(read_study(folder), Ask(study=str(folder), kind="group"), ("cerebellum", "whole brain"))
    assert set(found.maps) == {"cerebellum", "whole brain"}
    assert len(found.regions) == 48
    assert isinstance(found.thresholds, pd.DataFrame)
    wide = found.thresholds.groupby("reference")["positive_mm3"].is_monotonic_decreasing
    assert wide.all()
    assert not np.array_equal(*(values[0] for values in found.maps.values()))
    with pytest.raises(Problem, match="is not of questions of overlap"):
        sensitivity(read_study(folder), Ask(study=str(folder), kind="overlap"))


def test_sites_are_adjusted_for_where_they_are_not_the_groups(tmp_path: Path) -> None:
    made = draw(10)
    made.people["site"] = ["A", "B"] * 14
    found = planned(tmp_path / "s", made, "group")
    assert found.ask.covariates == ("age", "sex", "site")
    assert plan_parts.SITE[0] == "site"
    assert codes(found)["group-is-site"] == 0


def test_a_scale_of_depression_is_asked_about_unless_told(tmp_path: Path) -> None:
    made = draw(11)
    folder = write(tmp_path / "s", made)
    rows = pd.read_csv(folder / "phenotype" / "madrs.tsv", sep="\t").rename(columns={"madrs_total": "cssrs_iss"})
    rows["cssrs_iss"] %= 6
    rows.to_csv(folder / "phenotype" / "cssrs.tsv", sep="\t", index=False)
    assert planned(folder, made, "severity").ask.score == "madrs_total"
    assert planned(folder, made, "severity", score="C-SSRS ideation severity").ask.score == "cssrs_iss"


@pytest.mark.parametrize("steps", [(3, 3, 3), (-2.5, 3, 3), (1, 1, 1)])
def test_every_voxel_within_a_region_weighs_the_same(steps: tuple[float, float, float]) -> None:
    region = next(each for each in named_regions() if each.title == "parietal lobe L")
    mask, own = outline(region)
    size = np.abs(steps)
    affine = np.diag([*steps, 1.0])
    affine[:3, 3] = [90 if steps[0] < 0 else -90, -126, -72]
    grid = Grid(tuple(int(n) for n in (180 // size[0], 218 // size[1], 180 // size[2])), affine)
    (piece,) = on_grid([region], grid)
    place = np.stack(np.unravel_index(piece.voxels, grid.shape, order="F"), axis=-1)
    within = np.stack(np.meshgrid(*[np.linspace(-0.499, 0.499, 4)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    inside = np.ones(len(place), bool)
    for offset in within:  # voxels of the map that lie wholly within the region
        at = np.rint(own.ijk_of(grid.mm_of(place + offset))).astype(int)
        there = ((at >= 0) & (at < mask.shape)).all(axis=1)
        inside &= there
        inside[there] &= mask[tuple(at[there].T)]
    assert inside.sum() > 100
    whole = size.prod() / volume_mm3(region)
    np.testing.assert_allclose(piece.share[inside], whole, rtol=1e-6)
    assert piece.share.max() <= whole * (1 + 1e-6)
    assert piece.share.sum() == pytest.approx(1)
    assert (np.diff(piece.voxels) > 0).all()
