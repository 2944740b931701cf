"""PET of a study as maps of ratios: numbers by hand, grids, smoothing, templates, people left out."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from habena.app.problems import Problem
from habena.app.study.prepared import prepare_study
from habena.app.study.rows import StudyRows
from habena.app.study.values import Choices
from habena.stats.smooth import smooth
from msgspec.structs import replace
from prepared_study import (
    AFFINE,
    LEFT,
    PEOPLE,
    RIGHT,
    SHAPE,
    everywhere,
    halves,
    images,
    mm,
    reference_mask,
    scan_of,
    simple_study,
    study_of,
    table,
    write,
)


@pytest.fixture
def chosen(tmp_path: Path) -> Choices:
    """The phantom's own reference and no mask but the whole image."""
    return Choices(reference=reference_mask(tmp_path / "masks"), mask=everywhere(tmp_path / "masks"))


def codes(made) -> set[str]:
    return {finding.code for finding in made.findings}


def test_ratios_left_and_right_are_those_of_the_phantom_whatever_the_level(tmp_path: Path, chosen: Choices) -> None:
    made = prepare_study(simple_study(tmp_path / "s"), StudyRows("s", choices=chosen))
    place = mm()
    above = place[..., 2] > -30
    for values in images(made):
        np.testing.assert_allclose(values[above & (place[..., 0] < 0)], LEFT, rtol=1e-6)
        np.testing.assert_allclose(values[above & (place[..., 0] > 0)], RIGHT, rtol=1e-6)
        np.testing.assert_allclose(values[~above], 1, rtol=1e-6)
    assert made.data == "column:map"
    assert made.simulated


def test_a_difference_is_the_second_session_less_the_first(tmp_path: Path, chosen: Choices) -> None:
    made = prepare_study(simple_study(tmp_path / "s"), StudyRows("s", choices=chosen, per="difference"))
    left = (mm()[..., 0] < 0) & (mm()[..., 2] > -30)
    for values, rise in zip(images(made), (1.0, 0.25, 0.25), strict=True):
        np.testing.assert_allclose(values[left], LEFT * rise, rtol=1e-5)
        np.testing.assert_allclose(values[~left], 0, atol=1e-5)


def test_percent_is_of_the_first_and_undefined_where_the_first_is_hardly_above_0(
    tmp_path: Path, chosen: Choices
) -> None:
    study = simple_study(tmp_path / "s")
    cold = halves(LEFT, RIGHT, level=10.0)
    cold[2, 3, 15] = 0.01
    scan_of(tmp_path / "s", "sub-A", "ses-pre", cold)
    made = prepare_study(study, StudyRows("s", choices=chosen, per="percent"))
    left = (mm()[..., 0] < 0) & (mm()[..., 2] > -30)
    first, second, _ = images(made)
    assert np.isnan(first[2, 3, 15])
    left[2, 3, 15] = False
    np.testing.assert_allclose(first[left], 100, rtol=1e-4)
    np.testing.assert_allclose(second[left], 25, rtol=1e-4)
    assert "percent-undefined" in codes(made)


def test_the_table_has_people_sessions_scores_by_visit_and_improvement(tmp_path: Path, chosen: Choices) -> None:
    made = prepare_study(simple_study(tmp_path / "s"), StudyRows("s", choices=chosen, per="difference"))
    frame = table(made)
    assert frame["participant_id"].tolist() == list(PEOPLE)
    assert frame["arm"].tolist() == ["ketamine", "placebo", "ketamine"]
    assert frame["madrs_total_pre"].tolist() == [30, 30, 30]
    assert frame["madrs_total_day4"].tolist() == [28, 26, 24]
    assert frame["madrs_total_improvement"].tolist() == [7, 14, 21]
    assert (frame["day_pre"].tolist(), frame["day_post"].tolist()) == ([0, 0, 0], [14, 14, 14])


def test_per_scan_every_session_is_a_row_with_its_own_score(tmp_path: Path, chosen: Choices) -> None:
    made = prepare_study(simple_study(tmp_path / "s"), StudyRows("s", choices=chosen, per="scan"))
    frame = table(made)
    assert frame["session_id"].tolist() == ["ses-pre", "ses-post"] * 3
    assert frame["madrs_total"].tolist() == [30, 23, 30, 16, 30, 9]
    assert frame["day"].tolist() == [0, 14] * 3


def test_who_misses_a_session_is_left_out_by_name(tmp_path: Path, chosen: Choices) -> None:
    study = simple_study(tmp_path / "s")
    scans = tuple(scan for scan in study.scans if (scan.participant, scan.session) != ("sub-B", "ses-post"))
    study = study_of(tmp_path / "s", scans)
    made = prepare_study(study, StudyRows("s", choices=chosen, per="difference"))
    assert table(made)["participant_id"].tolist() == ["sub-A", "sub-C"]
    (said,) = (finding for finding in made.findings if finding.code == "subject-left-out")
    assert said.where == "sub-B"
    assert "ses-post" in said.message


def test_only_people_with_the_values_asked_for(tmp_path: Path, chosen: Choices) -> None:
    rows = StudyRows("s", choices=chosen, where=(("arm", "ketamine"),))
    assert table(prepare_study(simple_study(tmp_path / "s"), rows))["participant_id"].tolist() == ["sub-A", "sub-C"]
    with pytest.raises(Problem, match="nobody with arm saline"):
        prepare_study(simple_study(tmp_path / "s"), replace(rows, where=(("arm", "saline"),)))
    with pytest.raises(Problem, match="no column colour"):
        prepare_study(simple_study(tmp_path / "s"), replace(rows, where=(("colour", "red"),)))


def test_another_voxel_size_is_resampled_to_the_grid_of_most_with_a_ramp_kept(tmp_path: Path) -> None:
    ramp = 100 + mm()[..., 0] + 0.5 * mm()[..., 1]
    fine = np.array([[-4.5, 0, 0, 90], [0, 4.5, 0, -126], [0, 0, 4.5, -72], [0, 0, 0, 1]])
    shape = (41, 49, 41)
    place = mm(fine, shape)
    study_folder = tmp_path / "s"
    scans = [scan_of(study_folder, person, "ses-pre", ramp, kind="suvr") for person in PEOPLE[:2]]
    odd = 100 + place[..., 0] + 0.5 * place[..., 1]
    scans.append(scan_of(study_folder, "sub-C", "ses-pre", odd, affine=fine, kind="suvr"))
    choices = Choices(mask=everywhere(tmp_path / "masks"))
    made = prepare_study(study_of(study_folder, scans), StudyRows("s", choices=choices))
    expected = np.where(ramp == 0, np.nan, ramp)
    for values in images(made):
        both = np.isfinite(values) & np.isfinite(expected)
        assert both.mean() > 0.99
        np.testing.assert_allclose(values[both], expected[both], rtol=1e-4, atol=1e-3)
    (moved,) = (finding for finding in made.findings if finding.code == "grid-resampled")
    assert (moved.where, moved.value) == ("sub-C", 1)
    assert made.grid is not None
    assert made.grid.shape == SHAPE


def test_a_chosen_grid_is_taken_instead(tmp_path: Path) -> None:
    coarse = np.diag([18.0, 18, 18, 1])
    coarse[:3, 3] = AFFINE[:3, 3]
    file = write(tmp_path / "grid_space-MNI152NLin2009aSym_T1w.nii.gz", np.ones((10, 12, 10)), coarse)
    scans = [scan_of(tmp_path / "s", person, "ses-pre", halves(2, 3), kind="suvr") for person in PEOPLE]
    made = prepare_study(study_of(tmp_path / "s", scans), StudyRows("s", choices=Choices(grid=str(file))))
    assert made.grid is not None
    assert made.grid.shape == (10, 12, 10)


def test_smoothing_is_that_of_its_width_on_the_ratio(tmp_path: Path, chosen: Choices) -> None:
    made = prepare_study(simple_study(tmp_path / "s"), StudyRows("s", choices=replace(chosen, fwhm_mm=12.0)))
    expected = smooth(halves(LEFT, RIGHT), 12.0, (9.0, 9.0, 9.0)).volume
    np.testing.assert_allclose(images(made)[0], expected, rtol=1e-5)


def test_global_scaling_gives_each_map_a_mean_of_one(tmp_path: Path, chosen: Choices) -> None:
    made = prepare_study(simple_study(tmp_path / "s"), StudyRows("s", choices=replace(chosen, scaling="global mean")))
    for values in images(made):
        assert np.nanmean(values, dtype=np.float64) == pytest.approx(1, abs=1e-6)


def test_without_a_mask_maps_end_at_the_brain_of_the_template(tmp_path: Path) -> None:
    made = prepare_study(simple_study(tmp_path / "s"), StudyRows("s"))
    values = images(made)[0]
    corner, middle = (0, 0, 0), (10, 14, 10)
    assert np.isnan(values[corner])
    assert np.isfinite(values[middle])
    assert 0.1 < np.isfinite(values).mean() < 0.35


def test_no_chosen_reference_is_white_matter_and_said_to_be_nobodys_choice(tmp_path: Path) -> None:
    made = prepare_study(simple_study(tmp_path / "s"), StudyRows("s"))
    (said,) = (finding for finding in made.findings if finding.code == "reference-default")
    assert "not a paper's choice" in said.message
    # white matter lies in both halves alike: ratios are about those of the halves to their mean
    values = images(made)[0]
    assert np.nanmax(values) == pytest.approx(RIGHT / (0.5 * (LEFT + RIGHT)), rel=0.1)


@pytest.mark.parametrize("name", ["white matter", "whole brain", "cerebellum", "Thalamus L"])
def test_references_may_be_named(tmp_path: Path, name: str) -> None:
    scans = [scan_of(tmp_path / "s", person, "ses-pre", np.full(SHAPE, 7.0)) for person in PEOPLE]
    made = prepare_study(study_of(tmp_path / "s", scans), StudyRows("s", choices=Choices(reference=name)))
    assert np.nanmax(np.abs(images(made)[0] - 1)) < 1e-6
    assert "reference-default" not in codes(made)


def test_a_ratio_that_is_given_is_taken_as_it_is_and_divided_again_only_on_request(
    tmp_path: Path, chosen: Choices
) -> None:
    scans = [scan_of(tmp_path / "s", person, "ses-pre", halves(2, 3, level=4), kind="suvr") for person in PEOPLE]
    study = study_of(tmp_path / "s", scans)
    given = prepare_study(study, StudyRows("s", choices=replace(chosen, reference=None)))
    again = prepare_study(study, StudyRows("s", choices=chosen))
    assert images(given)[0].max() == pytest.approx(12)
    assert images(again)[0].max() == pytest.approx(3)
    assert "ratio-renormalised" in codes(again)
    assert "ratio-renormalised" not in codes(given)


def test_frames_of_a_dynamic_scan_are_averaged_by_their_time_within_the_window(tmp_path: Path, chosen: Choices) -> None:
    frames = np.stack([halves(left, 3.0, 10.0) for left in (1.0, 2.0, 4.0)], axis=-1)
    times = {"FrameTimesStart": [0, 1800, 2400], "FrameDuration": [1800, 600, 1200]}
    sidecar = {**times, "InjectionStart": 0, "TimeZero": "10:00:00", "ImageDecayCorrected": True}
    scans = [scan_of(tmp_path / "s", person, "ses-pre", frames, sidecar=sidecar) for person in PEOPLE]
    study = study_of(tmp_path / "s", scans)
    made = prepare_study(study, StudyRows("s", choices=replace(chosen, window_min=(30.0, 60.0))))
    left = (mm()[..., 0] < 0) & (mm()[..., 2] > -30)
    np.testing.assert_allclose(images(made)[0][left], (2 * 600 + 4 * 1200) / 1800, rtol=1e-5)
    with pytest.raises(Problem, match="no window is chosen"):
        prepare_study(study, StudyRows("s", choices=chosen))


def test_scans_of_another_template_are_left_out_by_name_and_variants_are_said(tmp_path: Path, chosen: Choices) -> None:
    folder = tmp_path / "s"
    scans = [scan_of(folder, person, "ses-pre", halves(2, 3)) for person in PEOPLE[:2]]
    scans.append(scan_of(folder, "sub-C", "ses-pre", halves(2, 3), space="Talairach"))
    scans.append(scan_of(folder, "sub-D", "ses-pre", halves(2, 3), space="MNI152NLin6Asym"))
    scans.append(scan_of(folder, "sub-E", "ses-pre", halves(2, 3), space="native"))
    made = prepare_study(study_of(folder, scans, (*PEOPLE, "sub-D", "sub-E")), StudyRows("s", choices=chosen))
    assert table(made)["participant_id"].tolist() == ["sub-A", "sub-B", "sub-D"]
    left = {finding.where: finding.message for finding in made.findings if finding.code == "subject-left-out"}
    assert set(left) == {"sub-C", "sub-E"}
    assert "Talairach" in left["sub-C"]
    assert "sub-D" in next(finding.message for finding in made.findings if finding.code == "template-family")


def test_a_damaged_scan_costs_its_person_and_nobody_else(tmp_path: Path, chosen: Choices) -> None:
    study = simple_study(tmp_path / "s")
    study.scans[2].path.write_bytes(b"nonsense")
    made = prepare_study(study, StudyRows("s", choices=chosen))
    assert table(made)["participant_id"].tolist() == ["sub-A", "sub-C"]
    (said,) = (finding for finding in made.findings if finding.code == "subject-left-out")
    assert said.where == "sub-B"


def test_two_scans_of_a_session_are_said_and_the_first_is_taken(tmp_path: Path, chosen: Choices) -> None:
    study = simple_study(tmp_path / "s")
    extra = scan_of(tmp_path / "other", "sub-A", "ses-pre", halves(9, 9))
    made = prepare_study(study_of(tmp_path / "s", (*study.scans, extra)), StudyRows("s", choices=chosen))
    assert images(made)[0].max() == pytest.approx(RIGHT)
    assert "several-scans" in codes(made)


def test_a_map_of_another_measure_lies_beside_on_the_same_grid(tmp_path: Path, chosen: Choices) -> None:
    study = simple_study(tmp_path / "s")
    maps = [
        replace(scan_of(tmp_path / "maps", person, "ses-pre", halves(n, -n)), kind="map", column="z", session=None)
        for n, person in enumerate(PEOPLE[:2], start=1)
    ]
    beside = StudyRows("s", "map", choices=replace(chosen, reference=None), column="z")
    made = prepare_study(
        study_of(tmp_path / "s", (*study.scans, *maps)), StudyRows("s", choices=chosen, beside=(("z", beside),))
    )
    frame = table(made)
    assert frame["map_z"].notna().tolist() == [True, True, False]
    one = frame[frame["map_z"].notna()].assign(map=frame["map_z"])
    assert len(one) == 2
    assert made.mask is not None


def test_prepared_files_name_their_inputs_and_say_simulated(tmp_path: Path, chosen: Choices) -> None:
    made = prepare_study(simple_study(tmp_path / "s"), StudyRows("s", choices=chosen))
    names = {path.name for path in made.inputs}
    assert "sub-A_ses-pre_space-MNI152NLin2009aSym_pet.nii.gz" in names
    assert "sub-A_ses-pre_space-MNI152NLin2009aSym_pet.json" in names
    assert Path(str(chosen.reference)) in made.inputs
    about = json.loads(made.table.with_suffix(".json").read_text())
    assert about["Simulated"] is True
    image = made.table.parent / table(made)["map"][0]
    assert json.loads(image.with_suffix(".json").read_text())["SpatialReference"] == "MNI152NLin2009aSym"
    assert not any("sub-" in str(path.relative_to(made.table.parents[1])) for path in made.table.parents[1].rglob("*"))


def test_frame_times_may_stand_in_a_sidecar_higher_up(tmp_path: Path, chosen: Choices) -> None:
    frames = np.stack([halves(left, 3.0, 10.0) for left in (1.0, 4.0)], axis=-1)
    scans = [scan_of(tmp_path / "s", person, "ses-pre", frames, sidecar={}) for person in PEOPLE]
    times = {"FrameTimesStart": [0, 1800], "FrameDuration": [1800, 1800], "InjectionStart": 0, "TimeZero": "09:00:00"}
    (tmp_path / "s" / "pet.json").write_text(json.dumps(times | {"ImageDecayCorrected": True}))
    rows = StudyRows("s", choices=replace(chosen, window_min=(30.0, 60.0)))
    made = prepare_study(study_of(tmp_path / "s", scans), rows)
    assert images(made)[0].max() == pytest.approx(4)
    assert tmp_path / "s" / "pet.json" in made.inputs


def test_a_map_that_covers_little_is_said_with_its_person(tmp_path: Path, chosen: Choices) -> None:
    study = simple_study(tmp_path / "s")
    part = halves(LEFT, RIGHT, 10.0)
    part[:, :, 14:] = 0
    scan_of(tmp_path / "s", "sub-C", "ses-pre", part)
    made = prepare_study(study, StudyRows("s", choices=chosen))
    (said,) = (finding for finding in made.findings if finding.code == "little-covered")
    assert said.where == "sub-C"
    assert said.value == 21 * 25 * 14


def test_images_in_several_columns_need_a_choice(tmp_path: Path, chosen: Choices) -> None:
    study = simple_study(tmp_path / "s")
    maps = [replace(scan, kind="map", column=str(n % 2)) for n, scan in enumerate(study.scans)]
    with pytest.raises(Problem, match="images in several columns: 0, 1"):
        prepare_study(study_of(tmp_path / "s", maps), StudyRows("s", "map", chosen))


def test_sessions_come_in_the_order_of_visits_whatever_their_names(tmp_path: Path, chosen: Choices) -> None:
    folder = tmp_path / "s"
    times = (("ses-zero", 2.0), ("ses-after", 5.0))
    scans = [scan_of(folder, person, session, halves(left, 3)) for person in PEOPLE for session, left in times]
    study = study_of(folder, scans)
    frame = study.sessions.assign(session_id=["ses-zero", "ses-after"] * 3)
    for told in ({"visits": ("ses-zero", "ses-after")}, {}):
        ordered = dataclasses.replace(study, sessions=frame, **told)
        values = images(prepare_study(ordered, StudyRows("s", choices=chosen, per="difference")))[0]
        assert values[2, 12, 15] == pytest.approx(3)
