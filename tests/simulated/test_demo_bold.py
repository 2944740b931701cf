"""The simulated ketamine-bold study: its layout, its confounds, and what is planted in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from habena.app.io.atlases import regions_of
from habena.app.simulated import bold_run
from habena.app.simulated.bold import write_bold_study
from habena.app.simulated.bold_confounds import confounds
from habena.app.simulated.bold_head import head
from habena.app.simulated.bold_motion import motion_artefact, move
from habena.app.simulated.bold_networks import ATLAS, NETWORKS, PLANTED, network_of, region_courses
from habena.app.simulated.bold_people import BASELINE, DAY_3, SCORES, allocation, patient, patients, rated
from habena.app.simulated.bold_planted import write_planted_bold
from habena.app.simulated.bold_run import Run, as_volumes, simulate_run
from habena.app.simulated.settings import Settings
from habena.stats.fmriprep import MOTION, confounds_of
from habena.stats.graph import metrics, threshold_matrix
from habena.stats.quality import framewise_displacement
from scipy import stats

SETTINGS = Settings(seed=7)
SHORT = 20  # volumes
NAMES = [region.abbreviation for region in regions_of(ATLAS)]


@pytest.fixture(scope="module")
def short() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(bold_run.VOLUMES, "small", SHORT)
        yield


@pytest.fixture(scope="module")
def study(short: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bold_study(tmp_path_factory.mktemp("bold"), SETTINGS)


def read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, sep="\t", na_values="n/a")


def test_every_scan_has_a_run_a_mask_and_confounds_under_the_names_of_fmriprep(study: Path) -> None:
    people = read(study / "participants.tsv")
    assert list(people.columns) == ["participant_id", "arm", "age", "sex"]
    assert people.arm.value_counts().to_dict() == {"ketamine": 4, "midazolam": 4}
    scans = 0
    for person in people.participant_id:
        sessions = read(study / person / f"{person}_sessions.tsv")
        assert sessions.day.tolist() == [0, 3][: len(sessions)]
        for session in sessions.session_id:
            stem = study / person / session / "func" / f"{person}_{session}_task-rest"
            space = f"{stem}_space-MNI152NLin2009aSym_res-4"
            image = nib.load(f"{space}_desc-preproc_bold.nii.gz")
            mask = nib.load(f"{space}_desc-brain_mask.nii.gz")
            assert image.shape == (*mask.shape, SHORT)
            assert image.header.get_zooms() == (4, 4, 4, 2)
            assert len(read(Path(f"{stem}_desc-confounds_timeseries.tsv"))) == SHORT
            scans += 1
        assert {path.name for path in (study / person).iterdir() if path.is_dir()} == set(sessions.session_id)
    assert scans == 15, "one person misses the second scan"


def test_scores_are_whole_numbers_within_their_scale(study: Path) -> None:
    for name, scale in (("hamd17", "hamd17_total"), ("cssrs", "cssrs_iss")):
        scores = read(study / "phenotype" / f"{name}.tsv")
        assert list(scores.columns) == ["participant_id", "session_id", scale]
        assert scores[scale].dtype == np.int64
        assert scores[scale].between(0, SCORES[scale].highest).all()
        assert not scores.duplicated(["participant_id", "session_id"]).any()


def test_everything_is_labelled_simulated(study: Path) -> None:
    for path in (*study.rglob("*.json"), *(study.parent / "planted").glob("*.json")):
        assert json.loads(path.read_bytes())["Simulated"] is True, path
    assert json.loads((study / "dataset_description.json").read_bytes())["Name"].startswith("Simulated: ")
    assert "simulated" in (study / "README").read_text()


def test_the_brain_is_masked_and_confounds_describe_the_run_that_was_written(study: Path) -> None:
    path = next(study.rglob("*_bold.nii.gz"))
    run = np.asarray(nib.load(path).dataobj)
    table = read(Path(str(path).split("_space")[0] + "_desc-confounds_timeseries.tsv"))
    anatomy = head()
    assert not run[~anatomy.brain].any()
    assert (run[anatomy.brain] > 0).all()
    rows = run[anatomy.brain].astype(np.float64)
    np.testing.assert_allclose(rows.mean(axis=0), table.global_signal, atol=0.02)
    np.testing.assert_allclose(rows[anatomy.csf].mean(axis=0), table.csf, atol=0.1)
    np.testing.assert_allclose(rows[anatomy.white].mean(axis=0), table.white_matter, atol=0.1)
    moved = framewise_displacement(table[list(MOTION)].to_numpy(), "fmriprep")
    np.testing.assert_allclose(moved[1:], table.framewise_displacement[1:])
    assert np.isnan(table.framewise_displacement[0])


def test_a_run_is_the_same_whoever_was_simulated_before(short: None) -> None:
    one = simulate_run(head(), SETTINGS, patient(SETTINGS, 2, "ketamine"), DAY_3)
    simulate_run(head(), SETTINGS, patient(SETTINGS, 1, "ketamine"), DAY_3)
    again = simulate_run(head(), SETTINGS, patient(SETTINGS, 2, "ketamine"), DAY_3)
    np.testing.assert_array_equal(one.rows, again.rows)
    pd.testing.assert_frame_equal(confounds(head(), one), confounds(head(), again))


def test_another_seed_makes_another_run_and_other_people(short: None) -> None:
    other = Settings(seed=8)
    assert [p.age for p in patients(other)] != [p.age for p in patients(SETTINGS)]
    runs = [simulate_run(head(), s, patient(s, 1, "ketamine"), BASELINE).rows for s in (SETTINGS, other)]
    assert not np.array_equal(*runs)


def test_without_an_effect_the_arm_changes_neither_runs_nor_scores(short: None) -> None:
    none = Settings(seed=7, effect=0)
    people = [patient(none, 1, arm) for arm in ("ketamine", "midazolam")]
    runs = [simulate_run(head(), none, person, DAY_3).rows for person in people]
    np.testing.assert_array_equal(*runs)
    for scale in SCORES:
        assert rated(none, people[0], scale) == rated(none, people[1], scale)


def test_the_baseline_knows_nothing_of_the_arm(short: None) -> None:
    runs = [
        simulate_run(head(), SETTINGS, patient(SETTINGS, 1, arm), BASELINE).rows for arm in ("ketamine", "midazolam")
    ]
    np.testing.assert_array_equal(*runs)


def over_densities(matrix: np.ndarray) -> dict[str, np.ndarray]:
    """Degree and clustering of all regions, mean of three densities; no clustering without neighbours."""
    names = ("degree", "clustering")
    graphs = [metrics(threshold_matrix(matrix, density=density), names).nodal for density in (0.1, 0.2, 0.3)]
    return {name: np.mean([np.nan_to_num(graph[name]) for graph in graphs], axis=0) for name in names}


def changes(effect: float, n: int = 100) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Change of degree and clustering of all regions, (n, R), over densities; and who had ketamine."""
    settings = Settings(seed=4, effect=effect)
    found: dict[str, list[np.ndarray]] = {"degree": [], "clustering": []}
    arms = ["ketamine", "midazolam"] * (n // 2)
    for number, arm in enumerate(arms, start=1):
        person = patient(settings, number, arm)
        graphs = []
        for session, response in ((BASELINE, 0.0), (DAY_3, person.response)):
            scan, who = settings.rng(person.name, session), settings.rng(person.name)
            series = region_courses(scan, who, 120, response)
            graphs.append(over_densities(np.corrcoef(series)))
        for name, values in found.items():
            values.append(graphs[1][name] - graphs[0][name])
    return {name: np.array(values) for name, values in found.items()}, np.array(arms) == "ketamine"


def test_degree_and_clustering_rise_where_they_are_planted_and_nowhere_else() -> None:
    change, ketamine = changes(1.0)
    t = {name: stats.ttest_ind(values[ketamine], values[~ketamine]).statistic for name, values in change.items()}
    at = {name: NAMES.index(name) for name in PLANTED}
    assert all(t["degree"][k] > 2.5 for k in at.values())
    assert t["clustering"][[at["Angular_L"], at["Angular_R"]]].mean() > 2.5
    others = np.delete(t["degree"], list(at.values()))
    assert np.abs(others).mean() < 1.2, "0.8 where nothing is"


def test_with_no_effect_degree_changes_alike_in_both_arms() -> None:
    change, ketamine = changes(0.0, 60)
    t = stats.ttest_ind(change["degree"][ketamine], change["degree"][~ketamine]).statistic
    assert np.abs(t).mean() < 1.1
    assert np.abs(t[[NAMES.index(name) for name in PLANTED]]).max() < 3


def test_ketamine_improves_scores_more_than_midazolam() -> None:
    settings = Settings(seed=2)
    for scale in SCORES:
        by_arm = {
            arm: [rated(settings, patient(settings, k, arm), scale) for k in numbers]
            for arm, numbers in (("ketamine", range(1, 101)), ("midazolam", range(101, 201)))
        }
        gained = {arm: [each[BASELINE] - each[DAY_3] for each in scores] for arm, scores in by_arm.items()}
        assert stats.ttest_ind(gained["ketamine"], gained["midazolam"]).statistic > 3


def restless() -> tuple[Run, pd.DataFrame]:
    """The run of whoever moves most among a few, and its confounds."""
    settings = Settings(seed=7)

    def displacement(number: int) -> float:
        person = patient(settings, number, "ketamine")
        moved = move(
            settings.rng("ketamine-bold", person.name, "restlessness"),
            settings.rng("ketamine-bold", person.name, BASELINE, "motion"),
            60,
        )
        return float(moved.displacement_mm.mean())

    most = patient(settings, max(range(1, 30), key=displacement), "ketamine")
    run = simulate_run(head(), settings, most, BASELINE)
    return run, confounds(head(), run)


def explained(rows: np.ndarray, columns: np.ndarray) -> float:
    """Share of the variance of all voxels that regressors take."""
    q = np.linalg.qr(np.column_stack([np.ones(len(columns)), columns])).Q[:, 1:]
    centred = rows - rows.mean(axis=1, keepdims=True)
    return float(((centred @ q) ** 2).sum() / (centred**2).sum())


@pytest.fixture(scope="module")
def moved() -> tuple[Run, pd.DataFrame]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(bold_run.VOLUMES, "small", 60)
        return restless()


def test_regressing_motion_takes_what_motion_added(moved: tuple[Run, pd.DataFrame]) -> None:
    run, table = moved
    motion = table[list(confounds_of("motion6", table.columns))].to_numpy()
    assert explained(run.rows, motion) > explained(run.rows, motion[::-1]) + 0.05, "reversed, they describe nothing"
    patterns, courses = motion_artefact(np.random.default_rng(1), head(), run.motion)
    displacement = table.framewise_displacement.fillna(0)
    assert explained(patterns @ courses, np.column_stack([motion, displacement])) > 0.9


def test_regressing_tissue_means_takes_what_physiology_added(moved: tuple[Run, pd.DataFrame]) -> None:
    run, table = moved
    tissue = table[["csf", "white_matter"]].to_numpy()
    assert explained(run.rows, tissue) > 1.5 * explained(run.rows, tissue[::-1]), "reversed, they describe nothing"


def test_volumes_that_moved_differ_from_their_predecessors(moved: tuple[Run, pd.DataFrame]) -> None:
    _, table = moved
    assert np.corrcoef(table.framewise_displacement[1:], table.std_dvars[1:])[0, 1] > 0.5


def test_confounds_are_complete_for_the_usual_strategies(moved: tuple[Run, pd.DataFrame]) -> None:
    _, table = moved
    taken = confounds_of("motion24+wm-csf8+global4+cosine", table.columns)
    assert table[list(taken)].iloc[1:].notna().all(axis=None)


def test_people_keep_their_restlessness_and_smoother_people_have_smoother_runs(short: None) -> None:
    settings = Settings(seed=3)
    both = np.array(
        [
            [move(settings.rng(k), settings.rng(k, s), 120).displacement_mm.mean() for s in ("one", "two")]
            for k in range(60)
        ]
    )
    assert np.corrcoef(both.T)[0, 1] > 0.3
    assert 0.1 < np.median(both) < 0.3
    neighbours = [
        _neighbours(simulate_run(head(), SETTINGS, patient(SETTINGS, 1, "ketamine")._replace(fwhm_mm=f), BASELINE))
        for f in (5.0, 8.0)
    ]
    assert neighbours[1] > neighbours[0] + 0.1


def _neighbours(run: Run) -> float:
    """Correlation of the noise of voxels side by side along x."""
    detrended = run.rows - run.rows.mean(axis=1, keepdims=True)
    volume = np.zeros((*head().grid.shape, run.rows.shape[1]), np.float32)
    volume[head().brain] = detrended
    both = head().brain[1:] & head().brain[:-1]
    return float(np.corrcoef(volume[1:][both].ravel(), volume[:-1][both].ravel())[0, 1])


def test_planted_maps_hold_the_planted_regions_and_scale_with_the_effect(tmp_path: Path) -> None:
    labels = head().labels
    for effect in (0.0, 2.0):
        settings = Settings(effect=effect)
        write_planted_bold(tmp_path, settings, patients(settings))
        for number, part in enumerate(("network", "whole_brain")):
            stored = nib.load(tmp_path / f"bold_{part}.nii.gz")
            values = np.asarray(stored.dataobj)
            for name, coupling in PLANTED.items():
                expected = effect * coupling[number] * head().grey
                here = labels == 1 + NAMES.index(name)
                np.testing.assert_allclose(values[here], expected[here], rtol=1e-6)
            assert not values[~np.isin(labels, [1 + NAMES.index(name) for name in PLANTED])].any()


def test_the_full_study_has_the_published_arms_and_some_miss_the_second_scan() -> None:
    full = Settings(size="full")
    people = patients(full)
    assert len(people) == 43
    assert sorted(allocation(full).count(arm) for arm in ("ketamine", "midazolam")) == [21, 22]
    missing = [person for person in people if person.sessions == (BASELINE,)]
    assert 1 < len(missing) < 6
    assert sum(DAY_3 in person.rated for person in missing) == 1, "one was rated all the same"


def test_every_region_of_the_atlas_has_a_network() -> None:
    assert {network_of(region) for region in regions_of(ATLAS)} == set(NETWORKS)


def test_stored_runs_lose_less_to_rounding_than_to_noise(short: None) -> None:
    run = simulate_run(head(), SETTINGS, patient(SETTINGS, 1, "ketamine"), BASELINE)
    stored = as_volumes(head(), run.rows)[head().brain]
    assert np.abs(stored - run.rows).max() <= 0.5 + 1e-3
    assert (stored - run.rows).std() < 0.2 * np.diff(run.rows, axis=1).std()


def test_progress_never_goes_back_and_cancelling_leaves_no_half_run(short: None, tmp_path: Path) -> None:
    shares: list[float] = []

    def report(share: float) -> None:
        shares.append(share)
        if share > 0.1:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        write_bold_study(tmp_path, SETTINGS, report)
    assert shares == sorted(shares)
    for path in tmp_path.rglob("*_bold.nii.gz"):
        assert nib.load(path).get_fdata().shape[3] == SHORT
    assert not list(tmp_path.rglob(".*"))
