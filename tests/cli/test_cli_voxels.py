"""`habena degree` and `habena clustering` beside plain NumPy."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple

import nibabel as nib
import numpy as np
import pytest
from command_line import AFFINE, SHAPE, blob, document, done, habena, mm_of_voxels, refused, write_image
from habena.app import voxel_graphs
from habena.app.problems import Cancelled
from numpy.typing import NDArray

VOLUMES = 60
CONSTANT_IJK = (12, 12, 8)
COMMANDS = ("degree", "clustering")


class Scan(NamedTuple):
    """A run, its brain mask and all correlations within it."""

    folder: Path
    run: Path
    inside: NDArray[np.bool_]
    r: NDArray[np.float64]


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Scan:
    """A run with two opposed networks, empty outside a small brain; one of its voxels is constant."""
    rng = np.random.default_rng(3)
    folder = tmp_path_factory.mktemp("voxels")
    brain = (np.abs(mm_of_voxels() - (0, -5, 5)) < (22, 24, 24)).all(axis=-1)
    course = rng.standard_normal(VOLUMES)
    weights = blob((14, -12, 3), 20) - blob((-14, 4, 12), 16)
    data = 500 + 10 * rng.standard_normal((*SHAPE, VOLUMES)) + 9 * weights[..., None] * course
    data[CONSTANT_IJK] = 700
    data = np.where(brain[..., None], data, 0).astype(np.float32)
    run = write_image(folder / "sub-01_task-rest_space-MNI152NLin6Asym_bold.nii.gz", data)
    write_image(folder / "half.nii.gz", (brain & (mm_of_voxels()[..., 0] > 0)).astype(np.uint8))
    inside = brain.copy()
    inside[CONSTANT_IJK] = False
    return Scan(folder, run, inside, correlations(data, inside))


def correlations(data: NDArray[Any], inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Pearson r of all pairs of voxels, x fastest; 0 on the diagonal."""
    r = np.corrcoef(data.transpose(2, 1, 0, 3)[inside.T].astype(np.float64))
    np.fill_diagonal(r, 0)
    return r


def values(path: Path, inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Of the voxels of the brain; all others must be empty."""
    volume = np.asarray(nib.load(path).dataobj, dtype=np.float64)
    assert np.isnan(volume[~inside]).all()
    return volume.T[inside.T]


@pytest.mark.parametrize("rule", ["positive", "absolute", "signed"])
@pytest.mark.parametrize("weights", ["--binary", "--weighted"])
@pytest.mark.parametrize("cut", [["--r", 0.25], ["--density", 0.1]])
def test_both_maps_are_those_of_a_plain_reference(
    cut: list[Any], weights: str, rule: str, scan: Scan, tmp_path: Path
) -> None:
    words = (scan.run, *cut, weights, "--edges", rule, "-o", tmp_path / "m.nii.gz")
    strength = scan.r if rule == "positive" else np.abs(scan.r)
    pairs = strength[np.triu_indices(len(strength), 1)]
    n_edges = int(np.floor(0.1 * pairs.size + 0.5))
    least = 0.25 if cut[0] == "--r" else np.sort(pairs)[-n_edges]
    kept = strength >= least
    np.fill_diagonal(kept, val=False)

    found = document("degree", *words)
    signed = scan.r if rule == "signed" else strength
    worth = signed if weights == "--weighted" else np.sign(signed) if rule == "signed" else 1.0
    np.testing.assert_allclose(values(tmp_path / "m.nii.gz", scan.inside), (kept * worth).sum(axis=0), atol=1e-3)
    check_notes(found, scan, rule, weights, kept)
    assert found["threshold"] == pytest.approx(least, abs=1e-6)

    again = document("clustering", *words)
    intensity = kept * (np.cbrt(strength / strength[kept].max()) if weights == "--weighted" else 1.0)
    triangles = np.einsum("ij,ij->i", intensity @ intensity, intensity) / 2
    k = kept.sum(axis=0)
    expected = 2 * triangles / np.maximum(1, k * (k - 1))
    np.testing.assert_allclose(values(tmp_path / "m.nii.gz", scan.inside), expected, atol=1e-5)
    check_notes(again, scan, rule, weights, kept)


def check_notes(found: dict[str, Any], scan: Scan, rule: str, weights: str, kept: NDArray[np.bool_]) -> None:
    n = len(kept)
    stated = {
        "run": scan.run.name,
        "edge_rule": rule,
        "weights": weights.removeprefix("--"),
        "edges": kept.sum() // 2,
        "nodes": n,
        "brain_voxels": n,
        "residual_degrees_of_freedom": VOLUMES - 1,
    }
    assert {name: found[name] for name in stated} == stated
    assert found["density"] == pytest.approx(kept.sum() / n / (n - 1))
    assert found["memory_bytes"] > 1e6


@pytest.mark.parametrize("command", COMMANDS)
def test_the_map_lies_on_the_grid_of_the_run_with_its_record(command: str, scan: Scan, tmp_path: Path) -> None:
    found = document(
        *(command, scan.run, "--density", 0.05, "--drop", 2, "--fwhm", 6, "--detrend", 1),
        *("--band", "0.01,0.1", "--brain", scan.folder / "half.nii.gz", "-o", tmp_path / "m.nii.gz"),
    )
    image = nib.load(tmp_path / "m.nii.gz")
    assert image.shape == SHAPE
    assert image.get_data_dtype() == np.dtype("<f4")
    np.testing.assert_array_equal(image.affine, AFFINE)
    record = json.loads((tmp_path / "m.json").read_text())
    assert record["parameters"] == {name: found[name] for name in found if name not in {"map", "warnings"}}
    assert record["Units"] == found["measure"]
    asked = ("dropped_volumes", "smoothing_fwhm_mm", "polynomial_order", "band_hz", "brain", "asked_density", "asked_r")
    assert [found[name] for name in asked] == [2, 6, 1, [0.01, 0.1], "mask half.nii.gz", 0.05, None]
    assert found["map"] == str(tmp_path / "m.nii.gz")
    hashes = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in scan.folder.iterdir()}
    assert {entry["name"]: entry["sha256"] for entry in record["inputs"]} == hashes


def test_the_text_says_what_was_written(scan: Scan, tmp_path: Path) -> None:
    out = tmp_path / "d.nii"
    kept = np.triu(scan.r >= 0.3, 1).sum()
    n = len(scan.r)
    assert done("degree", scan.run, "--r", 0.3, "-o", out).out == (
        f"{out}: number of voxels with r at least the threshold; threshold 0.3, {n} voxels, {kept} edges, "
        f"density {kept / (n * (n - 1) / 2):.3g}, {VOLUMES - 1} degrees of freedom\n"
    )


def test_a_graph_without_edges_is_told(scan: Scan, tmp_path: Path) -> None:
    for command in COMMANDS:
        found = document(command, scan.run, "--r", 0.9999, "-o", tmp_path / "d.nii")
        assert found["edges"] == 0
        (told,) = [finding for finding in found["warnings"] if finding["code"] == "graph-empty"]
        assert "No pair of voxels" in told["message"]


def test_ties_at_the_cut_and_negative_edges_are_told(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    codes = rng.choice([-1, 1], (*SHAPE, 3))
    data = np.zeros((*SHAPE, 4), np.float32)
    data[2:8, 2:8, 2:8] = 10 + np.stack([*np.moveaxis(codes, -1, 0), codes.prod(axis=-1)], axis=-1)[2:8, 2:8, 2:8]
    run = write_image(tmp_path / "ties_bold.nii.gz", data)
    found = document("degree", run, "--density", 0.2, "-o", tmp_path / "d.nii.gz")
    (told,) = [finding for finding in found["warnings"] if finding["code"] == "ties"]
    assert told["value"] == found["ties"] > found["ties_kept"] > 0
    n = found["nodes"]
    assert found["edges"] == int(np.floor(0.2 * n * (n - 1) / 2 + 0.5))
    found = document("degree", run, "--r", -0.5, "-o", tmp_path / "d.nii.gz")
    assert [finding["value"] for finding in found["warnings"] if finding["code"] == "negative-edges"] == [-0.5]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ([], "no threshold is given"),
        (["--r", 0.2, "--density", 0.1], "both --r and --density"),
        (["--r", 1.2], "1.2 is no correlation"),
        (["--r", -1.2], "-1.2 is no correlation"),
        (["--r", "nan"], "nan is no correlation"),
        (["--r", -0.2, "--edges", "absolute"], "below -0.2"),
        (["--density", 0], "0 is no share"),
        (["--density", 1.5], "1.5 is no share"),
        (["--density", "much"], "not a valid float"),
        (["--density", 1e-9], "keeps no edge"),
        (["--r", 0.2, "--edges", "some"], "is not one of"),
        (["--r", 0.2, "--fwhm", -1], "-1 makes no sense"),
        (["--r", 0.2, "--detrend", 59], "leave no degree of freedom"),
        (["--r", 0.2, "--brain", "missing.nii"], "missing.nii"),
    ],
)
def test_what_makes_no_sense_is_refused(command: str, flags: list[Any], said: str, scan: Scan, tmp_path: Path) -> None:
    assert said in refused(command, scan.run, *flags, "-o", tmp_path / "x.nii.gz")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", COMMANDS)
def test_places_and_files_that_cannot_be_are_refused(command: str, scan: Scan, tmp_path: Path) -> None:
    refused(command, scan.run, "--r", 0.2)
    refused(command, scan.run, "--r", 0.2, "-o", tmp_path / "map.txt")
    refused(command, scan.run, "--r", 0.2, "-o", scan.run)
    refused(command, scan.run, "--r", 0.2, "-o", tmp_path / "missing" / "map.nii")
    refused(command, tmp_path / "missing.nii", "--r", 0.2, "-o", tmp_path / "map.nii")
    assert "too few" in refused(command, scan.folder / "half.nii.gz", "--r", 0.2, "-o", tmp_path / "map.nii")
    assert not list(tmp_path.iterdir())


def test_negative_edges_have_no_weighted_clustering(scan: Scan, tmp_path: Path) -> None:
    said = refused("clustering", scan.run, "--r", -0.2, "--weighted", "-o", tmp_path / "c.nii")
    assert "no geometric mean" in said


@pytest.mark.parametrize("flags", [["--r", 0.2], ["--r", 0.2, "--weighted"], ["--density", 0.2]])
@pytest.mark.parametrize("command", COMMANDS)
def test_what_does_not_fit_into_memory_is_refused_with_the_figure(
    command: str, flags: list[Any], scan: Scan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("habena.app.io.memory.available_bytes", lambda: 1_000_000)
    said = refused(command, scan.run, *flags, "-o", tmp_path / "c.nii")
    assert "MB of memory and 1.0 MB are free" in said


@pytest.mark.parametrize("command", COMMANDS)
def test_cancelling_leaves_nothing_behind(
    command: str, scan: Scan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Impatient:
        def __init__(self, title: str) -> None:
            pass

        def __enter__(self) -> Any:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def __call__(self, fraction: float) -> None:
            if fraction > 0.5:
                raise Cancelled

    monkeypatch.setattr("habena.app.commands.voxels.Progress", Impatient)
    assert habena(command, scan.run, "--density", 0.2, "-o", tmp_path / "c.nii").status == 130
    assert not list(tmp_path.iterdir())


def test_an_automatic_mask_is_said(scan: Scan, tmp_path: Path) -> None:
    data = np.asarray(nib.load(scan.run).dataobj)
    noise = np.random.default_rng(1).normal(20, 3, data.shape)
    whole = write_image(tmp_path / "whole.nii.gz", np.where(data > 0, data, noise).astype(np.float32))
    found = document("degree", whole, "--r", 0.3, "-o", tmp_path / "w.nii")
    (told,) = [finding for finding in found["warnings"] if finding["code"] == "automatic-mask"]
    assert told["value"] == found["brain_voxels"]


def test_every_measure_of_degree_is_put_into_words() -> None:
    words = list(voxel_graphs.MEANINGS.values())
    assert len(set(words)) == len(words) == 6


def test_hubs_of_a_real_run_lie_in_grey_matter(rest_run: Path, tmp_path: Path) -> None:
    """Weighted without a threshold: no pair need be looked at, whatever the size."""
    found = document(
        *("degree", rest_run, "--r", -1, "--weighted", "--detrend", 2, "--band", "0.01,0.1"),
        *("-o", tmp_path / "d.nii.gz"),
    )
    image = nib.load(tmp_path / "d.nii.gz")
    strength = np.asarray(image.dataobj)
    assert np.isfinite(strength).sum() == found["nodes"] == 69384

    def at(mm: tuple[float, float, float]) -> float:
        return float(strength[tuple(np.rint(np.linalg.inv(image.affine) @ (*mm, 1))[:3].astype(int))])

    white_matter, precuneus = at((-26, -20, 34)), at((0, -62, 30))
    assert precuneus > 1.3 * white_matter
