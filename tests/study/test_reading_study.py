"""Studies that are in order, read from their folders."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from habena.app.io.bids_sidecars import Sidecars, inherited
from habena.app.problems import Cancelled, Problem
from habena.app.study.reading import read_study
from habena.app.study.values import Study
from study_files import AFFINE, PET, SPACE, bold_study, image, pet_study, sessions, tsv, write_json


def codes(study: Study) -> list[str]:
    return [finding.code for finding in study.findings]


def test_a_clean_pet_study_is_read_whole_and_nothing_is_said_of_it(tmp_path: Path) -> None:
    study = read_study(pet_study(tmp_path / "study"))
    assert study.findings == ()
    assert (study.name, study.simulated) == ("Simulated: small", True)
    assert list(study.participants.columns) == ["participant_id", "group", "arm", "age", "sex"]
    assert list(study.participants.participant_id) == [
        *(f"sub-T0{n}" for n in range(1, 5)),
        "sub-H01",
        "sub-H02",
        "sub-H03",
    ]
    assert list(study.participants.age) == [31, 32, 33, 34, 30, 31, 32]
    assert study.participants.arm.isna().tolist() == [False] * 4 + [True] * 3
    assert study.visits == ("ses-pre", "ses-day4", "ses-post")
    assert list(study.sessions.columns) == ["participant_id", "session_id", "day"]
    assert list(study.sessions.day[:2]) == [0, 14]
    madrs = study.scores["madrs"]
    assert list(madrs.columns) == ["participant_id", "session_id", "day", "madrs_total"]
    assert list(madrs.madrs_total[:3]) == [31, 25, 19]
    assert study.descriptions["age"] == "Age; unit: year"
    assert study.descriptions["arm"] == "Treatment; ketamine: 0.5 mg/kg, placebo: saline"


def test_scans_come_in_the_order_of_people_and_sessions_with_their_place(tmp_path: Path) -> None:
    study = read_study(pet_study(tmp_path / "study"))
    assert [(scan.participant, scan.session) for scan in study.scans[:3]] == [
        ("sub-T01", "ses-pre"),
        ("sub-T01", "ses-post"),
        ("sub-T02", "ses-pre"),
    ]
    first = study.scans[0]
    assert (first.kind, first.space, first.entities) == ("pet", "MNI152NLin2009aSym", (("trc", "K2"),))
    assert first.shape == (5, 6, 4)
    np.testing.assert_array_equal(first.affine, AFFINE[:3])
    assert [scan.session for scan in study.scans_of(participant="sub-T02")] == ["ses-pre", "ses-post"]


def test_runs_have_their_confounds_and_mask_and_an_anatomy_its_transform_to_the_template(tmp_path: Path) -> None:
    study = read_study(bold_study(tmp_path / "study"))
    assert study.findings == ()
    assert not study.simulated
    assert study.visits == ("ses-baseline", "ses-day3")
    run = study.scans_of(kind="bold")[0]
    stem = "sub-K1_ses-baseline_task-rest"
    assert run.confounds is not None
    assert run.confounds.name == f"{stem}_desc-confounds_timeseries.tsv"
    assert run.mask is not None
    assert run.mask.name == f"{stem}_{SPACE}_res-4_desc-brain_mask.nii.gz"
    assert run.transform is None
    anatomy = study.scans_of(kind="anat")[0]
    assert (anatomy.space, anatomy.session) == ("native", None)
    assert anatomy.transform is not None
    assert anatomy.transform.name == "sub-K1_from-T1w_to-MNI152NLin2009aSym_mode-image_xfm.h5"


def test_raw_data_and_derivatives_are_one_study_with_native_scans_beside_normalised_ones(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    tsv(raw / "participants.tsv", ("participant_id",), ("sub-K1",), ("sub-K2",))
    for person in ("sub-K1", "sub-K2"):
        image(raw / person / "func" / f"{person}_task-rest_bold.nii.gz", frames=4)
        write_json(raw / "task-rest_bold.json", RepetitionTime=2.0)
    bold = bold_study(raw / "derivatives" / "fmriprep", people=2, frames=4)
    (bold / "participants.tsv").unlink()
    study = read_study(raw)
    spaces = {(scan.session, scan.space) for scan in study.scans_of(kind="bold", participant="sub-K1")}
    assert spaces == {
        *((None, "native"), ("ses-baseline", "MNI152NLin2009aSym"), ("ses-day3", "MNI152NLin2009aSym")),
    }
    assert "repetition-time-missing" not in codes(study)


@pytest.mark.parametrize(
    ("name", "sidecar", "kind"),
    [
        ("trc-K2_{space}_pet", PET, "pet"),
        ("trc-K2_{space}_pet", {**PET, "Units": "SUVR"}, "suvr"),
        ("trc-K2_{space}_desc-suvr_pet", {}, "suvr"),
        ("{space}_meas-SUVR_mimap", {}, "suvr"),
        ("{space}_suvr", {}, "suvr"),
        ("{space}_meas-BPND_mimap", {}, "map"),
    ],
)
def test_ratios_are_told_from_radioactivity(tmp_path: Path, name: str, sidecar: dict[str, object], kind: str) -> None:
    stem = f"sub-01_{name.format(space=SPACE)}"
    image(tmp_path / "sub-01" / "pet" / f"{stem}.nii.gz")
    write_json(tmp_path / "sub-01" / "pet" / f"{stem}.json", **sidecar)
    assert [scan.kind for scan in read_study(tmp_path).scans] == [kind]


def test_spectra_have_the_table_of_their_fits(tmp_path: Path) -> None:
    mrs = tmp_path / "sub-N1" / "ses-1" / "mrs"
    image(mrs / "sub-N1_ses-1_voi-acc_svs.nii.gz", shape=(1, 1, 1), frames=8)
    fits = tsv(mrs / "sub-N1_ses-1_voi-acc_desc-fit_svs.tsv", ("time_min", "glx_tnaa"), (-5, 1.2), (5, 1.3))
    (scan,) = read_study(tmp_path).scans
    assert (scan.kind, scan.fits) == ("mrs", fits)


def test_fits_without_their_spectra_are_used_and_said(tmp_path: Path) -> None:
    fits = tsv(tmp_path / "sub-N1" / "mrs" / "sub-N1_voi-acc_desc-fit_svs.tsv", ("time_min", "glx"), (1, 2))
    study = read_study(tmp_path)
    assert [scan.fits for scan in study.scans] == [fits]
    assert "spectra-missing" in codes(study)


def test_fields_of_a_sidecar_higher_up_are_inherited_and_the_nearest_counts(tmp_path: Path) -> None:
    scan = image(tmp_path / "sub-01" / "ses-a" / "pet" / "sub-01_ses-a_trc-K2_pet.nii.gz")
    write_json(tmp_path / "pet.json", Units="Bq/mL", TracerName="K-2", A=1)
    write_json(tmp_path / "trc-K2_pet.json", A=2, B=2)
    write_json(tmp_path / "trc-X_pet.json", A=9, B=9, C=9)
    write_json(tmp_path / "sub-01" / "ses-a" / "sub-01_ses-a_pet.json", B=3)
    write_json(tmp_path / "sub-01" / "ses-a" / "pet" / "sub-01_ses-a_trc-K2_pet.json", Units="kBq/mL")
    fields = Sidecars(tmp_path).of(scan)
    assert fields == {"Units": "kBq/mL", "TracerName": "K-2", "A": 2, "B": 3}


def test_nothing_is_inherited_across_data_sets(tmp_path: Path) -> None:
    scan = image(tmp_path / "derivatives" / "suvr" / "sub-01" / "pet" / "sub-01_trc-K2_pet.nii.gz")
    write_json(tmp_path / "pet.json", Units="Bq/mL")
    write_json(tmp_path / "derivatives" / "suvr" / "pet.json", Units="SUVR")
    assert Sidecars(tmp_path).of(scan) == {"Units": "SUVR"}
    assert [each.kind for each in read_study(tmp_path).scans] == ["suvr"]


def test_sessions_without_days_are_in_the_order_of_their_dates_then_their_names(tmp_path: Path) -> None:
    dated = tmp_path / "dated"
    for person in ("sub-1", "sub-2"):
        rows = (("ses-b", "2020-01-02T10:00:00"), ("ses-a", "2020-02-02T10:00:00"))
        sessions(dated, person, *rows, columns=("acq_time",))
    assert read_study(dated).visits == ("ses-b", "ses-a")
    named = tmp_path / "named"
    for session in ("ses-post", "ses-week10", "ses-week2", "ses-baseline"):
        image(named / "sub-1" / session / "anat" / f"sub-1_{session}_T1w.nii.gz")
    assert read_study(named).visits == ("ses-baseline", "ses-week2", "ses-week10", "ses-post")


def test_codes_with_levels_stay_codes(tmp_path: Path) -> None:
    folder = pet_study(tmp_path / "study")
    text = (folder / "participants.tsv").read_text("utf-8").replace("ketamine", "1").replace("placebo", "0")
    (folder / "participants.tsv").write_text(text, "utf-8")
    write_json(folder / "participants.json", arm={"Levels": {"1": "ketamine", "0": "placebo"}})
    assert list(read_study(folder).participants.arm[:2]) == ["0", "1"]


def test_reading_changes_nothing_in_the_folder(tmp_path: Path) -> None:
    folder = bold_study(tmp_path / "study")

    def state() -> dict[str, tuple[int, str]]:
        files = (path for path in folder.rglob("*") if path.is_file())
        return {str(path): (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest()) for path in files}

    before = state()
    read_study(folder)
    assert state() == before


def test_reading_reports_its_progress_and_can_be_cancelled(tmp_path: Path) -> None:
    folder = pet_study(tmp_path / "study")
    done: list[float] = []
    read_study(folder, done.append)
    assert done == sorted(done)
    assert done[-1] == 1.0

    def cancel(fraction: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        read_study(folder, cancel)


def test_a_folder_that_is_no_study_says_so_and_names_the_studies_in_it(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="does not exist"):
        read_study(tmp_path / "nowhere")
    with pytest.raises(Problem, match="has no folders of people"):
        read_study(tmp_path)
    pet_study(tmp_path / "ampar-pet", 1, 0)
    with pytest.raises(Problem, match="name one of the studies in it: ampar-pet"):
        read_study(tmp_path)


def test_one_image_inherits_without_its_study_being_read(tmp_path: Path) -> None:
    scan = image(tmp_path / "sub-01" / "ses-a" / "pet" / "sub-01_ses-a_trc-K2_pet.nii.gz")
    write_json(tmp_path / "pet.json", Units="Bq/mL", TracerName="K-2")
    write_json(scan.with_name("sub-01_ses-a_trc-K2_pet.json"), Units="kBq/mL")
    assert inherited(scan) == {"Units": "kBq/mL", "TracerName": "K-2"}
    loose = image(tmp_path / "map.nii.gz")
    assert inherited(loose) == {}
    write_json(tmp_path / "map.json", Units="SUVR")
    assert inherited(loose) == {"Units": "SUVR"}
