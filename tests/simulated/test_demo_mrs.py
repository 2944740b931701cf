"""The simulated naltrexone-mrs study: its layout, its spectra, and what is planted in it."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from habena.app.simulated.mrs import write_mrs_study
from habena.app.simulated.mrs_people import SESSIONS, Volunteer, madrs, volunteer, volunteers
from habena.app.simulated.mrs_series import ATTENUATION, TIMES_MIN, fitted, glx
from habena.app.simulated.mrs_spectra import DWELL_S, FREQUENCY_MHZ, SIZE_MM, transients
from habena.app.simulated.settings import Settings

SETTINGS = Settings(seed=7)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_mrs_study(tmp_path_factory.mktemp("mrs"), SETTINGS)


def read(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, sep="\t", na_values="n/a")


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_session_that_was_attended_has_spectra_and_a_fit(study: Path) -> None:
    people = read(study / "participants.tsv")
    assert list(people.columns) == ["participant_id", "sex", "age", "sequence"]
    assert len(people) == 10
    attended = 0
    for person, sequence in zip(people.participant_id, people.sequence, strict=True):
        sessions = read(study / person / f"{person}_sessions.tsv")
        orders = {"NP": ["naltrexone", "placebo"], "PN": ["placebo", "naltrexone"]}
        assert sessions.condition.tolist() == orders[sequence][: len(sessions)]
        assert sessions.period.tolist() == [1, 2][: len(sessions)]
        for session in sessions.session_id:
            stem = study / person / session / "mrs" / f"{person}_{session}_voi-acc"
            fits = read(stem.with_name(stem.name + "_desc-fit_svs.tsv"))
            image = nib.load(stem.with_name(stem.name + "_svs.nii.gz"))
            assert image.shape == (1, 1, 1, 1024, len(fits))
            attended += 1
    assert 10 < attended < 20, "somebody misses a session"
    scores = read(study / "phenotype" / "madrs.tsv")
    assert len(scores) == 2 * attended
    assert set(scores.time) == {"baseline", "day1"}
    assert scores.madrs_total.between(0, 60).all()


def test_everything_is_labelled_simulated(study: Path) -> None:
    for path in (*study.rglob("*.json"), *(study.parent / "planted").glob("*.json")):
        assert json.loads(path.read_bytes())["Simulated"] is True, path
    assert json.loads((study / "dataset_description.json").read_bytes())["Name"].startswith("Simulated: ")
    assert "simulated" in (study / "README").read_text()


def test_spectra_keep_to_the_standard_of_nifti_mrs(study: Path) -> None:
    path = next(study.rglob("*_svs.nii.gz"))
    image = nib.load(path)
    header = image.header
    assert header["intent_name"].item().startswith(b"mrs_v0_")
    assert header.get_data_dtype() == np.complex64
    assert header["pixdim"][4] == pytest.approx(DWELL_S)
    assert header.get_xyzt_units() == ("mm", "sec")
    (extension,) = header.extensions
    assert extension.get_code() == 44
    keys = json.loads(extension.text)
    assert keys["SpectrometerFrequency"] == [FREQUENCY_MHZ]
    assert keys["ResonantNucleus"] == ["1H"]
    assert keys["dim_5"] == "DIM_DYN"
    assert keys["dim_5_header"]["TimeMinutes"]["Value"] == TIMES_MIN.tolist()


def test_the_voxel_is_an_oblique_box_in_the_anterior_cingulate(study: Path) -> None:
    for path in study.rglob("*_svs.nii.gz"):
        header = nib.load(path).header
        sform, code = header.get_sform(coded=True)
        assert code == 4
        np.testing.assert_allclose(header.get_qform(), sform, atol=1e-4)
        np.testing.assert_allclose(np.linalg.norm(sform[:3, :3], axis=0), SIZE_MM, rtol=1e-5)
        assert abs(sform[1, 2]) > 3, "tilted"
        np.testing.assert_allclose(sform[:3, 3], (0, 36, 12), atol=8)


@pytest.mark.parametrize(("linewidth_hz", "snr"), [(4.5, 50.0), (8.0, 30.0)])
def test_lines_lie_at_their_shifts_with_the_width_and_the_noise_that_the_fit_states(
    linewidth_hz: float, snr: float
) -> None:
    fits = pd.DataFrame({"glx_tnaa": [1.0] * 40, "linewidth_hz": [linewidth_hz] * 40, "snr": [snr] * 40})
    decays = transients(np.random.default_rng(1), fits)[0, 0, 0]
    spectra = np.fft.fftshift(np.fft.fft(decays, n=8192, axis=0), axes=0).real
    ppm = 4.65 - np.fft.fftshift(np.fft.fftfreq(8192, DWELL_S)) / FREQUENCY_MHZ
    mean = spectra.mean(axis=1)
    near = np.abs(ppm - 2.01) < 0.08
    height, place = mean[near].max(), ppm[near][mean[near].argmax()]
    assert place == pytest.approx(2.01, abs=0.01)
    beyond = ppm > 7
    noise = spectra[beyond] - mean[beyond, None]
    assert height / noise.std() == pytest.approx(snr, rel=0.1)
    side = (ppm > 1.85) & (ppm <= place)  # no line of glutamate is on this side
    half = ppm[side][mean[side] < (height + mean[ppm < 1].mean()) / 2].max()
    assert 2 * (place - half) * FREQUENCY_MHZ == pytest.approx(linewidth_hz, rel=0.15)


def test_more_glutamate_makes_its_lines_higher_and_no_others() -> None:
    fits = pd.DataFrame({"glx_tnaa": [0.0, 1.0], "linewidth_hz": [5.0] * 2, "snr": [1e9] * 2})
    decays = transients(np.random.default_rng(1), fits)[0, 0, 0]
    added = np.fft.fftshift(np.fft.fft(decays[:, 1] - decays[:, 0])).real
    ppm = 4.65 - np.fft.fftshift(np.fft.fftfreq(1024, DWELL_S)) / FREQUENCY_MHZ
    assert decays[0] == pytest.approx([3.45, 4.45], rel=1e-5), "areas are amplitudes at time 0"
    assert added[np.abs(ppm - 2.35) < 0.02].max() > 20 * np.abs(added[(ppm > 2.9) & (ppm < 3.3)]).max()


def test_a_filter_of_quality_finds_the_spectra_that_are_off() -> None:
    settings = Settings(seed=3, size="full")
    people = volunteers(settings)
    errors, crlb = [], []
    for person in people:
        for session in person.sessions:
            fits = fitted(settings, person, session)
            errors.append(fits.glx_tnaa.to_numpy() - glx(settings, person, session))
            crlb.append(fits.crlb_glx_percent.to_numpy())
    error, bound = np.concatenate(errors), np.concatenate(crlb)
    bad = bound > 20
    assert 0.02 < bad.mean() < 0.10
    assert error[bad].std() > 3 * error[~bad].std()


def pairs(effect: float, sex: str, n: int = 150) -> np.ndarray:
    """Rise of Glx after naltrexone less that after placebo, of many people of one sex."""
    settings = Settings(seed=1, effect=effect)
    made = []
    for number in range(n):
        person = Volunteer(f"sub-N{number}", sex, 40, ("NP", "PN")[number % 2])
        series = {person.condition(s): glx(settings, person, s) for s in SESSIONS}
        rise = {given: each[TIMES_MIN > 0].mean() - each[TIMES_MIN < 0].mean() for given, each in series.items()}
        made.append(rise["naltrexone"] - rise["placebo"])
    return np.array(made)


def test_naltrexone_takes_more_of_the_rise_from_men_than_from_women() -> None:
    assert pairs(1.0, "M").mean() / pairs(1.0, "F").mean() == pytest.approx(ATTENUATION["M"] / ATTENUATION["F"])


def test_without_an_effect_nothing_rises_and_both_conditions_are_alike() -> None:
    np.testing.assert_allclose(pairs(0.0, "M", 20), 0, atol=1e-12)
    changes = fall(0.0)
    assert abs(changes.mean()) < 4 * changes.std() / np.sqrt(len(changes))


def fall(effect: float) -> np.ndarray:
    """Fall of MADRS after placebo less that after naltrexone."""
    settings = Settings(seed=5, effect=effect)
    people = [volunteer(settings, number) for number in range(1, 121)]
    totals = madrs(settings, people).pivot_table(
        index=["participant_id", "session_id"], columns="time", values="madrs_total"
    )
    falls = totals.baseline - totals.day1
    by_condition = [{p.condition(s): falls[p.name, s] for s in SESSIONS} for p in people]
    return np.array([each["placebo"] - each["naltrexone"] for each in by_condition])


def test_madrs_falls_less_after_naltrexone() -> None:
    changes = fall(1.0)
    assert changes.mean() == pytest.approx(0.45 * 9.0, abs=4 * changes.std() / np.sqrt(len(changes)))


def test_sexes_and_sequences_are_balanced() -> None:
    people = volunteers(Settings(size="full"))
    assert len(people) == 26
    cells = pd.crosstab([p.sex for p in people], [p.sequence for p in people]).to_numpy()
    assert cells.shape == (2, 2)
    assert cells.max() - cells.min() <= 1
    assert any(len(p.sessions) == 1 for p in people)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_people(study: Path, tmp_path: Path) -> None:
    assert bytes_of(write_mrs_study(tmp_path / "again", SETTINGS)) == bytes_of(study)
    other = volunteers(Settings(seed=8))
    assert [p.age for p in other] != [p.age for p in volunteers(SETTINGS)]


def test_a_person_is_the_same_in_a_small_and_a_full_study() -> None:
    small, full = Settings(), Settings(size="full")
    assert volunteer(small, 3) == volunteer(full, 3)
    pd.testing.assert_frame_equal(
        fitted(small, volunteer(small, 3), "ses-2"), fitted(full, volunteer(full, 3), "ses-2")
    )
