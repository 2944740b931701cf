"""The simulated PET study: people, what is planted in them, and what a scanner leaves of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from habena.app.simulated.anatomy import Anatomy, load_anatomy
from habena.app.simulated.effects import CHANGE, GROUP, PREDICTION, SEVERITY
from habena.app.simulated.images import write_image
from habena.app.simulated.people import ARMS, POST, PRE, VISITS, Person, make_healthy, make_patient, make_people
from habena.app.simulated.pet import NOISE, texture, write_pet_study, write_scan
from habena.app.simulated.planted import write_planted
from habena.app.simulated.scanner import STEP, Acquisition, Scanner, make_scanner
from habena.app.simulated.settings import Settings, Size
from habena.app.simulated.uptake import Tracer, change_of
from habena.stats.partial_volume import spill
from numpy.typing import NDArray
from scipy.stats import norm, pearsonr

TEMPLATE = "MNI152NLin2009aSym"
MANY = 700


class Made(NamedTuple):
    """A small study and what it was made with."""

    folder: Path
    anatomy: Anatomy
    scanner: Scanner


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("demo") / "ampar-pet"
    anatomy = load_anatomy()
    write_pet_study(folder, anatomy, Settings())
    return Made(folder, anatomy, make_scanner(anatomy))


def place_of(made: Made, title: str) -> int:
    return [parcel.title for parcel in made.anatomy.parcels].index(title)


# -- people


def patients(arm: str, effect: float = 1.0, n: int = MANY) -> list[Person]:
    settings = Settings(effect=effect)
    return [make_patient(settings, f"{arm}{k}", arm) for k in range(n)]


@pytest.mark.parametrize(("arm", "mean", "sd"), [("ketamine", 8.1, 10.0), ("placebo", 2.5, 5.2)])
def test_improvement_of_madrs_has_the_moments_of_the_trial(arm: str, mean: float, sd: float) -> None:
    improvement = np.array([person.improvement for person in patients(arm)])
    assert improvement.mean() == pytest.approx(mean, abs=4 * sd / MANY**0.5)
    assert improvement.std() == pytest.approx(sd, rel=4 / (2 * MANY) ** 0.5)


def test_without_effect_the_arms_improve_alike() -> None:
    ketamine, placebo = (np.array([p.improvement for p in patients(arm, 0.0)]) for arm in ("ketamine", "placebo"))
    assert ketamine.mean() == pytest.approx(placebo.mean(), abs=4 * 5.2 * (2 / MANY) ** 0.5)
    assert ketamine.std() == pytest.approx(placebo.std(), rel=0.2)


def test_totals_of_madrs_are_whole_severe_at_first_and_go_together() -> None:
    totals = np.array([person.totals for person in patients("ketamine")])
    assert totals.min() >= 0
    assert totals.max() <= 60
    assert totals[:, 0].min() >= 20
    assert totals[:, 0].mean() == pytest.approx(30, abs=1)
    assert np.corrcoef(totals[:, 1:].T).min() > 0.7


@pytest.mark.parametrize("size", ["small", "full"])
def test_a_study_has_its_arms_and_some_miss_the_last_session(size: Size) -> None:
    people = make_people(Settings(size=size))
    arms = ARMS[size]
    assert [sum(p.arm == arm for p in people) for arm in ("ketamine", "placebo", None)] == list(arms)
    assert len({person.id for person in people}) == len(people)
    gone = [person for person in people if POST in person.missed]
    assert 1 <= len(gone) <= 3
    assert all(person.scans == (PRE,) for person in gone)
    assert {person.site.name for person in people if person.arm is None} == {"trialC"}
    assert "trialC" not in {person.site.name for person in people if person.arm}


def test_a_person_is_the_same_whoever_else_is_simulated() -> None:
    settings = Settings(seed=9)
    first = make_patient(settings, "sub-T05", "placebo")
    make_healthy(settings, "sub-H01")
    assert make_patient(settings, "sub-T05", "placebo") == first
    assert make_patient(Settings(seed=10), "sub-T05", "placebo") != first


# -- effects


def activities(made: Made, people: list[Person], session: str, effect: float = 1.0) -> NDArray[np.float64]:
    tracer = Tracer.of(made.anatomy, Settings(effect=effect))
    return np.array([tracer.activity(person, session) for person in people])


def cohen(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    return (a.mean(0) - b.mean(0)) / np.sqrt((a.var(0, ddof=1) + b.var(0, ddof=1)) / 2)


def correlation(values: NDArray[np.float64], score: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array([np.corrcoef(column, score)[0, 1] for column in values.T])


@pytest.fixture(scope="module")
def treated(made: Made) -> tuple[list[Person], NDArray[np.float64]]:
    """People given ketamine and their uptake before."""
    people = patients("ketamine")
    return people, activities(made, people, PRE)[:, :-4]


def test_the_difference_between_groups_has_the_planted_size_in_each_region(
    made: Made, treated: tuple[list[Person], NDArray[np.float64]]
) -> None:
    healthy = [make_healthy(Settings(), f"h{k}") for k in range(MANY)]
    found = cohen(treated[1], activities(made, healthy, PRE)[:, :-4])
    # the other effects and age add to the spread
    np.testing.assert_allclose(found, GROUP.sizes(made.anatomy.parcels), atol=0.12 + 4 * (2 / MANY) ** 0.5 * 0.5)


def test_severity_and_prediction_have_the_planted_correlation_in_each_region(
    made: Made, treated: tuple[list[Person], NDArray[np.float64]]
) -> None:
    people, before = treated
    noise = 3.5 / MANY**0.5
    severity = correlation(before, np.array([person.totals[0] for person in people], float))
    np.testing.assert_allclose(severity, SEVERITY.sizes(made.anatomy.parcels), atol=0.09 + noise)
    improved = correlation(before, np.array([person.improvement for person in people], float))
    np.testing.assert_allclose(improved, PREDICTION.sizes(made.anatomy.parcels), atol=0.05 + noise)


def test_change_goes_with_improvement_under_ketamine_and_not_under_placebo(made: Made) -> None:
    tracer = Tracer.of(made.anatomy, Settings())
    for arm, sizes in (("ketamine", CHANGE.sizes(made.anatomy.parcels)), ("placebo", np.zeros(124))):
        people = patients(arm)
        change = np.array([change_of(tracer, person) for person in people])[:, :-4]
        found = correlation(change, np.array([person.improvement for person in people], float))
        np.testing.assert_allclose(found, sizes, atol=0.03 + 3.5 / MANY**0.5)


def test_without_effect_nothing_is_planted(made: Made, tmp_path: Path) -> None:
    tracer = Tracer.of(made.anatomy, Settings(effect=0.0))
    people = patients("ketamine", 0.0, 20)
    assert not any(tracer.planted(person, session).any() for person in people for session in (PRE, POST))
    write_planted(tmp_path, made.anatomy, Settings(effect=0.0), {})
    for path in tmp_path.glob("*.nii.gz"):
        assert not np.any(nib.load(path).dataobj)
    truth = json.loads((tmp_path / "truth.json").read_text())
    assert all(effect["regions"] == [] for effect in truth["pet"]["effects"])


def test_sessions_of_one_person_are_as_alike_as_repeated_scans_are(made: Made) -> None:
    people = patients("placebo")
    before, after = (activities(made, people, session)[:, :-4] for session in (PRE, POST))
    reliability = [np.corrcoef(a, b)[0, 1] for a, b in zip(before.T, after.T, strict=True)]
    assert min(reliability) > 0.8
    assert max(reliability) < 0.95


def test_neighbouring_regions_differ_between_people_together_and_distant_ones_less(made: Made) -> None:
    before = activities(made, [make_healthy(Settings(), f"h{k}") for k in range(MANY)], PRE)
    between = np.corrcoef(before[:, :-4].T)
    angular, parietal, lobule = (
        place_of(made, title) for title in ("Angular L", "Parietal inferior L", "Cerebellum 8 R")
    )
    assert between[angular, parietal] > between[angular, lobule] + 0.1


def test_side_and_place_of_planted_effects_are_those_of_the_template(made: Made, tmp_path: Path) -> None:
    write_planted(tmp_path, made.anatomy, Settings(), {})
    image = nib.load(tmp_path / "pet_prediction.nii.gz")
    values = np.asarray(image.dataobj)

    def at(*mm: float) -> float:
        return float(values[tuple(np.rint(np.linalg.inv(image.affine) @ (*mm, 1))[:3].astype(int))])

    right = np.max([at(58, y, z) for y in (-30, -34, -38) for z in (-6, -4, -2, 0)])
    left = np.max([at(-58, y, z) for y in (-30, -34, -38) for z in (-6, -4, -2, 0)])
    assert right > 0, "right middle temporal gyrus"
    assert left == 0
    assert at(12, -20, 8) < 0 or at(10, -24, 8) < 0, "thalamus"


# -- scanner


@pytest.mark.parametrize("fwhm_mm", [5.0, 5.5, 6.0, 6.6, 7.0])
@pytest.mark.parametrize("title", ["Habenula L", "Habenula R", "Pallidum R"])
def test_a_region_keeps_the_share_of_its_signal_that_the_closed_form_says(
    made: Made, title: str, fwhm_mm: float
) -> None:
    anatomy, scanner, number = made.anatomy, made.scanner, place_of(made, title)
    anatomy_of_region = anatomy.labels == number + 1
    sampled = np.zeros_like(anatomy_of_region)
    sampled[::STEP, ::STEP, ::STEP] = anatomy_of_region[::STEP, ::STEP, ::STEP]
    activity = np.zeros(len(anatomy.parcels) + 4)
    activity[number] = 1.0
    image = scanner.image(activity, Acquisition(fwhm_mm), np.random.default_rng(0))
    kept = image[sampled[::STEP, ::STEP, ::STEP]].mean()
    expected = spill(anatomy_of_region, sampled, (1.0, 1.0, 1.0), fwhm_mm)
    assert kept == pytest.approx(expected, rel=0.08)


def test_the_habenula_keeps_a_small_share_and_the_angular_gyrus_more(made: Made) -> None:
    shares = {}
    for title in ("Habenula L", "Angular L"):
        number = place_of(made, title)
        activity = np.zeros(len(made.anatomy.parcels) + 4)
        activity[number] = 1.0
        image = made.scanner.image(activity, Acquisition(6.0), np.random.default_rng(0))
        shares[title] = image[made.anatomy.labels[::STEP, ::STEP, ::STEP] == number + 1].mean()
    assert 0.05 < shares["Habenula L"] < 0.25
    assert shares["Angular L"] > 0.3


def test_nothing_is_lost_between_tissue_and_image(made: Made) -> None:
    ones = np.ones(len(made.anatomy.parcels) + 4)
    ones[-1] = 0  # scalp
    image = made.scanner.image(ones, Acquisition(6.4), np.random.default_rng(0))
    tissue = made.anatomy.grey + made.anatomy.white + made.anatomy.fluid
    assert image.sum() * STEP**3 == pytest.approx(tissue.sum(), rel=0.01)


def test_a_moved_head_lies_elsewhere_by_that_much(made: Made) -> None:
    activity = np.ones(len(made.anatomy.parcels) + 4)
    activity[-1] = 0  # scalp
    still, moved = (
        made.scanner.image(activity, Acquisition(6.0, shift_mm=np.array(shift)), np.random.default_rng(0))
        for shift in ((0.0, 0.0, 0.0), (0.0, 2.0, 0.0))
    )
    front = STEP * np.arange(still.shape[1])
    back = np.average(front, weights=still.sum((0, 2))) - np.average(front, weights=moved.sum((0, 2)))
    assert back == pytest.approx(2.0, abs=0.1)


def test_noise_has_the_size_that_is_asked_for(made: Made) -> None:
    activity = np.zeros(len(made.anatomy.parcels) + 4)
    activity[:-1] = 4.0
    clean, noisy = (
        made.scanner.image(activity, Acquisition(5.0, noise), np.random.default_rng(3)) for noise in (0.0, 0.05)
    )
    inside = clean > 3.9
    assert ((noisy - clean)[inside] / clean[inside]).std() == pytest.approx(0.05, rel=0.1)


def test_texture_makes_single_places_differ_between_people_more_than_between_sessions(made: Made) -> None:
    tracer = Tracer.of(made.anatomy, Settings())
    people = patients("placebo", n=6)
    fields = np.array([[texture(p, s, (tracer, made.scanner)).ravel() for s in (PRE, POST)] for p in people])
    assert fields[:, 0].std() == pytest.approx(np.hypot(0.03, 0.01), rel=0.1)
    assert (fields[:, 1] - fields[:, 0]).std() == pytest.approx(0.01 * 2**0.5, rel=0.1)
    assert abs(np.corrcoef(fields[0, 0], fields[1, 0])[0, 1]) < 0.15


def test_studies_find_each_region_as_often_as_its_power_says_and_mostly_miss_the_habenula(made: Made) -> None:
    """Regions of images at 6 mm in studies of 18 people given ketamine, by correlation at p < .05."""
    n, studies = 18, 38
    tracer = Tracer.of(made.anatomy, Settings())
    people = patients("ketamine")[: n * studies]
    improved = np.array([person.improvement for person in people], float)
    change = np.array([change_of(tracer, person) for person in people]).T
    labels = made.anatomy.labels[::STEP, ::STEP, ::STEP].ravel(order="F")
    rng = np.random.default_rng(4)
    found = {}
    for title in ("Habenula R", "Pallidum L", "Angular R", "Thalamus L"):
        inside = labels == place_of(made, title) + 1
        noise = NOISE * (2 / max(1.0, np.count_nonzero(inside) / 8)) ** 0.5  # eight voxels or so vary together
        seen = np.asarray(made.scanner.seen[1][inside].mean(axis=0)) @ change + noise * rng.standard_normal(len(people))
        r = np.corrcoef(seen, improved)[0, 1]
        reach = norm.ppf(0.975)
        power = norm.sf(reach - np.arctanh(abs(r)) * (n - 3) ** 0.5) + norm.cdf(
            -reach - np.arctanh(abs(r)) * (n - 3) ** 0.5
        )
        pairs = zip(np.split(seen, studies), np.split(improved, studies), strict=True)
        found[title] = float(np.mean([pearsonr(x, y).pvalue < 0.05 for x, y in pairs]))
        assert found[title] == pytest.approx(power, abs=0.02 + 4 * (power * (1 - power) / studies) ** 0.5)
    assert found["Habenula R"] < 0.5 < found["Angular R"]
    assert found["Thalamus L"] < 0.25


# -- files


def test_the_study_is_laid_out_as_bids_says(made: Made) -> None:
    people = make_people(Settings())
    expected = {"README", "dataset_description.json", "participants.tsv", "participants.json", "sessions.json"}
    expected |= {"phenotype/madrs.tsv", "phenotype/madrs.json"}
    for person in people:
        expected.add(f"{person.id}/{person.id}_sessions.tsv")
        for session in person.scans:
            stem = f"{person.id}/{session}/pet/{person.id}_{session}_trc-K2_space-{TEMPLATE}_pet"
            expected |= {f"{stem}.nii.gz", f"{stem}.json"}
    assert {str(path.relative_to(made.folder)) for path in made.folder.rglob("*") if path.is_file()} == expected


def test_tables_have_their_columns_and_agree_with_each_other(made: Made) -> None:
    people = pd.read_csv(made.folder / "participants.tsv", sep="\t", keep_default_na=False)
    assert list(people) == ["participant_id", "group", "arm", "age", "sex", "site"]
    assert set(people.arm[people.group == "HC"]) == {"n/a"}
    assert set(people.arm[people.group == "TRD"]) == {"ketamine", "placebo"}
    madrs = pd.read_csv(made.folder / "phenotype" / "madrs.tsv", sep="\t")
    assert list(madrs) == ["participant_id", "session_id", "day", "madrs_total"]
    assert set(madrs.participant_id) == set(people.participant_id[people.group == "TRD"])
    assert set(madrs.session_id) == set(VISITS)
    for name in people.participant_id:
        sessions = pd.read_csv(made.folder / name / f"{name}_sessions.tsv", sep="\t")
        assert list(sessions) == ["session_id", "day"]
        assert set(sessions.session_id) == {path.name for path in (made.folder / name).glob("ses-*")}
        rated = madrs[(madrs.participant_id == name) & madrs.session_id.isin(sessions.session_id)]
        assert rated.merge(sessions, on=["session_id", "day"]).shape[0] == rated.shape[0]


def test_every_image_is_placed_in_the_template_and_says_that_it_is_simulated(made: Made) -> None:
    for path in made.folder.rglob("*.nii.gz"):
        image = nib.load(path)
        assert image.get_data_dtype() == np.float32
        assert (int(image.header["sform_code"]), int(image.header["qform_code"])) == (4, 4)
        np.testing.assert_allclose(image.header.get_qform(), image.affine, atol=1e-5)
        np.testing.assert_allclose(image.affine, made.scanner.grid.affine)
        sidecar = json.loads(path.with_name(path.name.replace(".nii.gz", ".json")).read_text())
        assert sidecar["Simulated"] is True
        assert (sidecar["Units"], sidecar["TracerRadionuclide"]) == ("kBq/mL", "C11")
        assert len(sidecar["FrameTimesStart"]) == len(sidecar["FrameDuration"]) == 1


def test_only_a_reference_region_makes_scans_comparable(made: Made) -> None:
    white = made.anatomy.white[::STEP, ::STEP, ::STEP] > 0.99
    cortex = made.anatomy.labels[::STEP, ::STEP, ::STEP] == place_of(made, "Precuneus R") + 1
    images = [np.asarray(nib.load(path).dataobj) for path in sorted(made.folder.rglob("*.nii.gz"))]
    raw = np.array([image[cortex].mean() for image in images])
    ratio = np.array([image[cortex].mean() / image[white].mean() for image in images])
    assert raw.std() / raw.mean() > 2 * ratio.std() / ratio.mean()
    assert 1.1 < ratio.mean() < 1.6


def test_the_same_seed_writes_the_same_bytes_in_any_order(made: Made, tmp_path: Path) -> None:
    settings = Settings()
    person = make_people(settings)[-1]
    write_scan(tmp_path, person, PRE, (Tracer.of(made.anatomy, settings), made.scanner))
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) == 2
    for path in written:
        assert path.read_bytes() == (made.folder / path.relative_to(tmp_path)).read_bytes()
    other = Settings(seed=7)
    write_scan(tmp_path, person, PRE, (Tracer.of(made.anatomy, other), made.scanner))
    image = next(tmp_path.rglob("*.nii.gz"))
    assert image.read_bytes() != (made.folder / image.relative_to(tmp_path)).read_bytes()


@pytest.mark.parametrize("dtype", [np.float32, np.int16, np.uint8])
def test_a_written_image_is_what_other_programs_read(made: Made, tmp_path: Path, dtype: type) -> None:
    values = np.random.default_rng(1).integers(0, 99, (*made.scanner.grid.shape, 2)).astype(dtype)
    write_image(tmp_path / "new" / "run.nii.gz", values, made.scanner.grid, 2.5)
    image = nib.load(tmp_path / "new" / "run.nii.gz")
    assert image.get_data_dtype() == dtype
    np.testing.assert_array_equal(image.dataobj, values)
    np.testing.assert_allclose(image.header.get_zooms(), (3, 3, 3, 2.5))
    np.testing.assert_allclose(image.affine, made.scanner.grid.affine)
