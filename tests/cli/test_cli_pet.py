"""`habena suvr` and `habena kinetics` on a simulated scan whose answers are known."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import nibabel as nib
import numpy as np
import pytest
from command_line import AFFINE, SHAPE, document, done, mm_of_voxels, refused, write_image
from habena.app.grid import Grid
from habena.app.io.atlases import load_atlas
from habena.app.pet import UNITS
from habena.stats.kinetics import convolved
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

DURATION_S = np.repeat([15, 30, 60, 120, 300], [4, 4, 6, 5, 14]).astype(float)
START_S = np.cumsum(DURATION_S) - DURATION_S
MID_MIN = (START_S + DURATION_S / 2) / 60
REFERENCE = 900 * (MID_MIN * np.exp(-MID_MIN / 3) + 2 * (np.exp(-MID_MIN / 60) - np.exp(-MID_MIN / 5)))
BP, R1, K2REF = 1.2, 0.9, 0.11
COMPLETE = {
    "FrameTimesStart": START_S.tolist(),
    "FrameDuration": DURATION_S.tolist(),
    "ImageDecayCorrected": True,
    "TimeZero": "10:15:00",
    "InjectionStart": 0,
}


class Scan(NamedTuple):
    """A simulated scan: a reference on the left, binding on the right, nothing outside the head."""

    pet: Path
    data: NDArray[np.float32]
    mask: Path
    inside: NDArray[np.bool_]
    bound: NDArray[np.bool_]


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Scan:
    folder = tmp_path_factory.mktemp("pet")
    mm = mm_of_voxels()
    head = (np.abs(mm - (0, -5, 5)) < (40, 48, 36)).all(axis=-1)
    inside = head & (np.linalg.norm(mm - (-20, -17, 2), axis=-1) < 12)
    bound = head & (mm[..., 0] > 0)
    k2a = K2REF * R1 / (1 + BP)
    tissue = R1 * REFERENCE + (K2REF * R1 - R1 * k2a) * convolved(REFERENCE, MID_MIN, k2a)
    data = np.where(bound[..., None], tissue, REFERENCE) * head[..., None]
    data = data.astype(np.float32)
    data[13, 12, 8, 5] = np.nan  # in the reference's half
    data[tuple(np.argwhere(inside)[0])] = np.nan
    pet = scan_file(folder, "sub-01_space-MNI152NLin6Asym_desc-simulated_pet.nii.gz", data, COMPLETE)
    mask = write_image(folder / "reference.nii.gz", inside.astype(np.uint8))
    return Scan(pet, data, mask, inside, bound)


def scan_file(folder: Path, name: str, data: NDArray[Any], sidecar: dict[str, Any] | str | None) -> Path:
    path = write_image(folder / name, data)
    if sidecar is not None:
        text = sidecar if isinstance(sidecar, str) else json.dumps(sidecar)
        (folder / f"{name.removesuffix('.nii.gz')}.json").write_text(text)
    return path


def read(path: object) -> NDArray[np.float32]:
    return np.asarray(nib.load(path).dataobj)


def codes(found: dict[str, Any]) -> set[str]:
    return {finding["code"] for finding in found["warnings"]}


def test_suvr_is_the_weighted_mean_over_the_window_by_that_of_the_reference(scan: Scan, tmp_path: Path) -> None:
    out = tmp_path / "suvr.nii.gz"
    found = document("suvr", scan.pet, "--reference", scan.mask, "--window", "30.5,52", "-o", out)
    weight = np.clip(np.minimum(START_S + DURATION_S, 52 * 60) - np.maximum(START_S, 30.5 * 60), 0, None)
    used = weight > 0
    mean = scan.data[..., used].astype(float) @ (weight[used] / weight.sum())
    level = np.nanmean(mean[scan.inside])
    assert_allclose(read(out), mean / level, rtol=1e-5)
    assert found["map"] == str(out)
    assert found["window_min"] == [30.5, 52]
    assert found["frames"] == (np.flatnonzero(weight) + 1).tolist()
    assert_allclose(found["frame_seconds"], weight[weight > 0])
    assert_allclose(found["reference_mean"], level, rtol=1e-6)
    assert (found["reference"], found["reference_kind"]) == ("reference.nii.gz", "mask")
    assert found["reference_voxels"] == scan.inside.sum() - 1
    assert found["injection_start_s"] == 0
    assert found["image_decay_corrected"] is True
    assert found["Simulated"] is True
    assert codes(found) == {"reference-left-out"}


def test_the_map_lies_on_the_scans_grid_and_records_how_it_was_made(scan: Scan, tmp_path: Path) -> None:
    out = tmp_path / "suvr.nii.gz"
    printed = done("suvr", scan.pet, "--reference", scan.mask, "--window", "30,50", "-o", out).out
    assert printed.startswith(f"{out}: SUVR of 5 frames, reference mean ")
    image = nib.load(out)
    assert image.get_data_dtype() == np.float32
    assert_allclose(image.affine, AFFINE)
    record = json.loads(out.with_name("suvr.json").read_text())
    assert record["Units"] == "SUVR"
    assert record["SpatialReference"] == "MNI152NLin6Asym"
    assert record["parameters"]["window_min"] == [30, 50]
    names = [scan.pet, scan.pet.with_name(scan.pet.name.replace(".nii.gz", ".json")), scan.mask]
    assert {entry["name"]: entry["sha256"] for entry in record["inputs"]} == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in names
    }


def test_the_window_counts_from_injection(scan: Scan, tmp_path: Path) -> None:
    """The same scan told with another time zero gives the same map."""
    shifted = COMPLETE | {"FrameTimesStart": (START_S + 600).tolist(), "InjectionStart": 600}
    later = scan_file(tmp_path, "later_pet.nii.gz", scan.data, shifted)
    maps = []
    for number, pet in enumerate((scan.pet, later)):
        out = tmp_path / f"{number}.nii.gz"
        done("suvr", pet, "--reference", scan.mask, "--window", "30,50", "-o", out)
        maps.append(read(out))
    assert_array_equal(*maps)


def test_what_the_sidecar_leaves_open_is_a_warning(scan: Scan, tmp_path: Path) -> None:
    bare = {key: COMPLETE[key] for key in ("FrameTimesStart", "FrameDuration")}
    pet = scan_file(tmp_path, "bare_space-MNI152NLin6Asym_pet.nii.gz", scan.data, bare)
    found = document("suvr", pet, "--reference", scan.mask, "--window", "60,90", "-o", tmp_path / "a.nii.gz")
    assert codes(found) == {
        *("decay-correction-missing", "injection-start-missing", "reference-left-out", "window-partly-covered")
    }
    part = next(w for w in found["warnings"] if w["code"] == "window-partly-covered")
    assert_allclose(part["value"], (START_S[-1] + DURATION_S[-1] - 3600) / 1800)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (None, "has no frame times: its sidecar gives no FrameTimesStart and FrameDuration"),
        ({"FrameTimesStart": None}, "has no frame times"),
        ({"FrameDuration": [60]}, "33 starts and 1 durations for 33 frames"),
        ({"ImageDecayCorrected": False}, "is not corrected for decay"),
        ({"ImageDecayCorrected": "yes"}, "neither true nor false"),
        ({"InjectionStart": "10:15:00"}, "no number of seconds"),
        ({"InjectionStart": None, "TimeZero": "ScanStart"}, "does not state InjectionStart"),
        ({"ScanStart": 1800}, "starts at 1800 s by ScanStart"),
        ("{", "not valid JSON"),
    ],
)
@pytest.mark.parametrize("command", [("suvr", "--window", "30,50"), ("kinetics", "--model", "srtm")])
def test_times_that_are_missing_or_contradict_themselves_are_refused(
    command: tuple[str, ...], change: Any, what: str, scan: Scan, tmp_path: Path
) -> None:
    sidecar = change
    if isinstance(change, dict):
        sidecar = {key: value for key, value in (COMPLETE | change).items() if value is not None}
    pet = scan_file(tmp_path, "a_pet.nii.gz", scan.data, sidecar)
    name, *rest = command
    assert what in refused(name, pet, *rest, "--reference", scan.mask, "-o", tmp_path / "out.nii.gz")


def test_times_from_a_repetition_time_are_no_frame_times(scan: Scan, tmp_path: Path) -> None:
    run = write_image(tmp_path / "a_bold.nii.gz", scan.data)
    message = refused("suvr", run, "--reference", scan.mask, "--window", "0,1", "-o", tmp_path / "o.nii.gz")
    assert "has no frame times" in message


@pytest.mark.parametrize(
    ("window", "what"),
    [
        ("50,30", "is empty"),
        ("200,220", "no frame lies within"),
        ("30", "is not START,END"),
        ("a,b", "is not START,END"),
        ("nan,3", "is not START,END"),
    ],
)
def test_windows_that_are_none_are_refused(window: str, what: str, scan: Scan, tmp_path: Path) -> None:
    out = tmp_path / "o.nii.gz"
    assert what in refused("suvr", scan.pet, "--reference", scan.mask, "--window", window, "-o", out)
    assert not out.exists()


def test_a_mask_on_another_grid_is_brought_over_by_nearest_neighbour(scan: Scan, tmp_path: Path) -> None:
    fine = AFFINE.copy()
    fine[:3, :3] /= 2
    double = np.repeat(np.repeat(np.repeat(scan.inside, 2, 0), 2, 1), 2, 2)
    fine[:3, 3] = AFFINE[:3, 3] - AFFINE[:3, :3] @ (0.25, 0.25, 0.25)
    mask = write_image(tmp_path / "fine.nii.gz", double.astype(np.uint8), fine)
    found = document("suvr", scan.pet, "--reference", mask, "--window", "30,50", "-o", tmp_path / "a.nii.gz")
    same = document("suvr", scan.pet, "--reference", scan.mask, "--window", "30,50", "-o", tmp_path / "b.nii.gz")
    assert "reference-resampled" in codes(found)
    assert found["reference_mean"] == same["reference_mean"]


def test_references_that_cannot_be_used_are_refused(scan: Scan, tmp_path: Path) -> None:
    far = AFFINE.copy()
    far[:3, 3] += 900
    outside = write_image(tmp_path / "far.nii.gz", scan.inside.astype(np.uint8), far)
    native = scan_file(tmp_path, "sub-01_pet.nii.gz", scan.data, COMPLETE)
    other = write_image(tmp_path / "ref_space-MNI305_mask.nii.gz", scan.inside.astype(np.uint8))

    def says(pet: Path, reference: object) -> str:
        return refused("suvr", pet, "--reference", reference, "--window", "30,50", "-o", tmp_path / "o.nii.gz")

    assert "does not overlap" in says(scan.pet, outside)
    assert "does not exist" in says(scan.pet, tmp_path / "none.nii.gz")
    assert "is no mask" in says(scan.pet, scan.pet)
    assert "is in MNI305" in says(scan.pet, other)
    assert "is no region that the atlases name" in says(scan.pet, "cerebelllum")
    write_image(tmp_path / "sub-01_pet.nii.gz", scan.data, code=1)
    for name in ("cerebellum", "white matter", "whole brain"):
        assert "space" in says(native, name)
    assert "the mean of the reference region is 0" in says(
        scan.pet, write_image(tmp_path / "air.nii.gz", (scan.data[..., 9] == 0).astype(np.uint8))
    )


def test_references_by_name_are_regions_of_an_atlas(scan: Scan, tmp_path: Path) -> None:
    def named(*words: str) -> dict[str, Any]:
        return document("suvr", scan.pet, "--reference", *words, "--window", "30,50", "-o", tmp_path / "a.nii.gz")

    grid = Grid(SHAPE, AFFINE)
    precuneus = named("Precuneus L", "--atlas", "aal2")
    atlas = load_atlas("aal2")
    region = next(r for r in atlas.regions if r.title == "Precuneus L")
    values = scan.data[..., 0][atlas.mask([region], grid)]
    assert precuneus["reference_voxels"] == np.isfinite(values).sum()
    assert (precuneus["reference"], precuneus["reference_atlas"]) == ("Precuneus L", "aal2")
    assert any(code.startswith("template-") for code in codes(precuneus))
    cerebellum = named("cerebellum")
    assert cerebellum["reference_atlas"] == "aal2"
    assert "Cerebellum crus 1 L" in cerebellum["reference"]
    assert "Vermis" not in cerebellum["reference"]
    white = named("White matter")
    assert white["reference"] == "Cerebral white matter L, Cerebral white matter R"
    brain = named("whole-brain")
    assert brain["reference_kind"] == "template"
    assert brain["reference_voxels"] > white["reference_voxels"] > 0


def test_srtm_maps_hold_what_the_scan_was_made_with(scan: Scan, tmp_path: Path) -> None:
    folder = tmp_path / "maps"
    words = ("kinetics", scan.pet, "--model", "srtm", "--reference", scan.mask, "-o", folder)
    found = document(*words, "--basis", "0.01,0.3,80")
    assert found["model"] == "srtm"
    assert found["basis_per_min"] == [0.01, 0.3, 80]
    assert found["weights"] == "frame durations"
    assert found["maps"] == {name: str(folder / f"{name}.nii.gz") for name in UNITS["srtm"]}
    maps = {name: read(path) for name, path in found["maps"].items()}
    usable = scan.bound & np.isfinite(scan.data).all(axis=-1)
    made_with = {"BPND": BP, "R1": R1, "k2": K2REF * R1, "k2a": K2REF * R1 / (1 + BP), "k2ref": K2REF}
    for name, expected in made_with.items():
        assert_allclose(maps[name][usable], expected, rtol=5e-3)
    empty = ~(np.isfinite(scan.data).all(axis=-1) & (scan.data > 0).any(axis=-1))
    assert all(np.isnan(values[empty]).all() for values in maps.values())
    assert found["voxels"] == (~empty).sum()
    assert_allclose(found["reference_curve"], REFERENCE, rtol=1e-6)
    assert_allclose(found["frame_middles_min"], MID_MIN)
    record = json.loads((folder / "BPND.json").read_text())
    assert record["Units"] == "BP_ND"
    assert record["parameters"]["map"] == "BPND"
    assert record["parameters"]["basis_per_min"] == [0.01, 0.3, 80]


def test_logan_maps_hold_dvr(scan: Scan, tmp_path: Path) -> None:
    words = ("kinetics", scan.pet, "--model", "logan", "--reference", scan.mask, "-o", tmp_path)
    found = document(*words, "--tstar", "25", "--k2ref", K2REF)
    assert (found["tstar_min"], found["k2ref_per_min"], found["k2ref_term"]) == (25, K2REF, "given")
    assert found["frames_in_regression"] == (MID_MIN >= 25).sum()
    assert codes(found) == {"reference-left-out"}
    usable = scan.bound & np.isfinite(scan.data).all(axis=-1)
    assert_allclose(read(found["maps"]["DVR"])[usable], 1 + BP, rtol=0.01)
    assert_allclose(read(found["maps"]["BPND"])[usable], BP, rtol=0.02)
    assert_allclose(read(found["maps"]["r2"])[usable], 1, atol=1e-4)
    assert set(found["maps"]) == set(UNITS["logan"])
    default = document(*words)
    assert (default["tstar_min"], default["k2ref_per_min"], default["k2ref_term"]) == (30, None, "left out")
    assert codes(default) == {"reference-left-out", "tstar-default", "k2ref-omitted"}


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("--model", "logan", "--tstar", "80"), "t* of at most"),
        (("--model", "logan", "--tstar", "nan"), "is no time"),
        (("--model", "logan", "--tstar", "-5"), "is no time"),
        (("--model", "logan", "--k2ref", "-1"), "is no rate"),
        (("--model", "logan", "--basis", "0.1,0.2,9"), "is no option of logan"),
        (("--model", "srtm", "--tstar", "20"), "is no option of srtm"),
        (("--model", "srtm", "--basis", "0.1,0.2"), "is not LO,HI,N"),
        (("--model", "srtm", "--basis", "0.1,0.2,9.5"), "is no number of rates"),
        (("--model", "srtm", "--basis", "0.3,0.2,9"), "no range of rates"),
        (("--model", "patlak"), "patlak"),
        ((), "--model"),
    ],
)
def test_models_that_cannot_be_fitted_are_refused(
    words: tuple[str, ...], what: str, scan: Scan, tmp_path: Path
) -> None:
    folder = tmp_path / "maps"
    assert what in refused("kinetics", scan.pet, "--reference", scan.mask, *words, "-o", folder)
    assert not folder.exists()


def test_a_scan_that_starts_late_is_refused_or_said(scan: Scan, tmp_path: Path) -> None:
    def late(seconds: float) -> Path:
        sidecar = COMPLETE | {"InjectionStart": -seconds}
        return scan_file(tmp_path, f"late{seconds:g}_pet.nii.gz", scan.data, sidecar)

    words = ("--model", "srtm", "--reference", scan.mask, "-o", tmp_path)
    assert "starts 30 min after injection" in refused("kinetics", late(1800), *words)
    assert "late-start" in codes(document("kinetics", late(90), *words))


def test_places_for_maps_are_looked_at_before_the_work(scan: Scan, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("")
    words = ("kinetics", scan.pet, "--model", "srtm", "--reference", scan.mask, "-o")
    assert "is a file" in refused(*words, taken)
    assert "does not exist" in refused(*words, tmp_path / "no" / "maps")
    suvr = ("suvr", scan.pet, "--reference", scan.mask, "--window", "30,50")
    assert "is no name for a map" in refused(*suvr, "-o", tmp_path / "a.txt")
    assert "is one of the inputs" in refused(*suvr, "-o", scan.pet)
    assert "no output is named" in refused(*suvr)


def test_what_is_no_scan_is_refused(scan: Scan, tmp_path: Path, shared_data: Callable[[str], Path]) -> None:
    maps = shared_data("pet/BP.mni305.2mm.sm6.nii.gz")
    out = tmp_path / "o.nii.gz"
    assert "has no frame times" in refused("suvr", maps, "--reference", scan.mask, "--window", "0,9", "-o", out)
    empty = scan_file(tmp_path, "e_pet.nii.gz", np.zeros((*SHAPE, len(MID_MIN)), np.float32), COMPLETE)
    words = ("--model", "srtm", "--reference", scan.mask, "-o", tmp_path / "m")
    assert "no voxel with activity" in refused("kinetics", empty, *words)
