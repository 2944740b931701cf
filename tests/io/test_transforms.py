"""Affine transforms of ITK and FSL: where a place of the template lies in a scan."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from habena.app.grid import Grid
from habena.app.io.transforms import read_affine
from habena.app.problems import Problem
from scipy.io import savemat
from scipy.spatial.transform import Rotation

NATIVE = Grid((40, 48, 36), np.array([[-2.0, 0.1, 0, 30], [0.1, 2.1, 0, -40], [0, 0, 2.5, -20], [0, 0, 0, 1]]))
TEMPLATE = Grid((91, 109, 91), np.array([[2.0, 0, 0, -90], [0, 2, 0, -126], [0, 0, 2, -72], [0, 0, 0, 1]]))
MATRIX = np.array([[1.02, 0.05, -0.03], [-0.04, 0.97, 0.1], [0.02, -0.09, 1.05]])
SHIFT, CENTRE = np.array([3.0, -5.0, 7.0]), np.array([10.0, 20.0, -30.0])
LPS = np.diag([-1.0, -1.0, 1.0])
PLACE = np.array([12.0, -34.0, 25.0])


def expected(place: np.ndarray, matrix: np.ndarray = MATRIX) -> np.ndarray:
    """x' = A (x - c) + c + t, said in LPS."""
    return LPS @ (matrix @ (LPS @ place - CENTRE) + CENTRE + SHIFT)


def moved(affine: np.ndarray, place: np.ndarray = PLACE) -> np.ndarray:
    return affine[:3, :3] @ place + affine[:3, 3]


def words(numbers: np.ndarray) -> str:
    return " ".join(f"{number:.17g}" for number in np.ravel(numbers))


def itk_text(path: Path, kind: str = "AffineTransform_double_3_3", matrix: np.ndarray = MATRIX) -> Path:
    path.write_text(
        f"#Insight Transform File V1.0\n#Transform 0\nTransform: {kind}\n"
        f"Parameters: {words(matrix)} {words(SHIFT)}\nFixedParameters: {words(CENTRE)}\n"
    )
    return path


def h5(path: Path, *parts: tuple[str, np.ndarray, np.ndarray]) -> Path:
    with h5py.File(path, "w") as file:
        for number, (kind, parameters, fixed) in enumerate(parts):
            group = file.create_group(f"TransformGroup/{number}")
            group["TransformType"] = np.array([kind.encode()])
            if parameters.size:
                group["TransformParameters"], group["TransformFixedParameters"] = parameters, fixed
    return path


def read(path: Path) -> np.ndarray:
    return read_affine(path, NATIVE, TEMPLATE)


def test_a_text_of_itk_turns_about_its_centre_in_lps(tmp_path: Path) -> None:
    for kind in ("AffineTransform_double_3_3", "MatrixOffsetTransformBase_double_3_3"):
        np.testing.assert_allclose(moved(read(itk_text(tmp_path / "a.txt", kind))), expected(PLACE), atol=1e-12)


def test_rotations_of_itk_by_angles(tmp_path: Path) -> None:
    angles = np.array([0.1, -0.2, 0.3])
    text = "#Insight Transform File V1.0\nTransform: Euler3DTransform_double_3_3\n"
    text += f"Parameters: {words(angles)} {words(SHIFT)}\nFixedParameters: {words(CENTRE)}"
    (tmp_path / "r.txt").write_text(f"{text} 0\n")
    matrix = Rotation.from_euler("YXZ"[::-1], angles[[2, 0, 1]]).as_matrix()  # Rz Rx Ry: intrinsic z, x, y
    np.testing.assert_allclose(moved(read(tmp_path / "r.txt")), expected(PLACE, matrix), atol=1e-12)
    (tmp_path / "r.txt").write_text(f"{text} 1\n")
    matrix = Rotation.from_euler("ZYX", angles[::-1]).as_matrix()
    np.testing.assert_allclose(moved(read(tmp_path / "r.txt")), expected(PLACE, matrix), atol=1e-12)


def test_the_matlab_file_of_ants(tmp_path: Path) -> None:
    numbers = np.concatenate([MATRIX.ravel(), SHIFT])[:, None]
    savemat(tmp_path / "x.mat", {"AffineTransform_double_3_3": numbers, "fixed": CENTRE[:, None]}, format="4")
    np.testing.assert_allclose(moved(read(tmp_path / "x.mat")), expected(PLACE), atol=1e-12)


def test_a_composite_applies_its_last_part_first(tmp_path: Path) -> None:
    affine = ("AffineTransform_double_3_3", np.concatenate([MATRIX.ravel(), SHIFT]), CENTRE)
    shift = ("TranslationTransform_double_3_3", np.array([1.0, 2.0, 4.0]), np.array([]))
    path = h5(tmp_path / "x.h5", ("CompositeTransform_double_3_3", np.array([]), np.array([])), affine, shift)
    np.testing.assert_allclose(moved(read(path)), expected(PLACE + np.array([-1.0, -2.0, 4.0])), atol=1e-12)


def test_a_matrix_of_flirt_goes_from_the_scan_to_the_reference_in_millimetres_of_voxels(tmp_path: Path) -> None:
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = MATRIX, SHIFT
    (tmp_path / "flirt.mat").write_text("\n".join(words(row) for row in matrix) + "\n")
    voxel = np.array([7.0, 11.0, 5.0])
    zooms = np.array(NATIVE.zooms_mm)
    there = MATRIX @ (voxel * zooms) + SHIFT  # the scan is radiological: its first axis stays
    reference = np.array([(91 - 1) * 2.0 - there[0], there[1], there[2]]) / 2.0  # the reference is not
    back = moved(read(tmp_path / "flirt.mat"), TEMPLATE.mm_of(reference))
    np.testing.assert_allclose(back, NATIVE.mm_of(voxel), atol=1e-9)


def test_a_warp_is_refused_by_its_name(tmp_path: Path) -> None:
    warp = ("DisplacementFieldTransform_double_3_3", np.zeros(12), np.zeros(18))
    path = h5(tmp_path / "x.h5", ("CompositeTransform_double_3_3", np.array([]), np.array([])), warp)
    with pytest.raises(Problem, match="not affine \\(DisplacementFieldTransform\\)"):
        read(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.txt", b"hello"),
        ("x.mat", b"1 0 0 0\n0 1 0 0\n0 0 1 0\n"),
        ("x.mat", b"\x00\x01\x02" * 50),
        ("x.mat", b"1 0 0 0\n1 0 0 0\n0 0 1 0\n0 0 0 1\n"),
        ("x.h5", b"no HDF5"),
        ("x.txt", b"#Insight Transform File V1.0\nTransform: AffineTransform_double_3_3\n"),
        (
            "x.txt",
            b"#Insight Transform File V1.0\nTransform: AffineTransform_3_3\nParameters: 1 2\nFixedParameters: 0\n",
        ),
    ],
)
def test_a_file_that_is_no_affine_is_refused_with_what_to_give(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(Problem, match="give an affine transform"):
        read(tmp_path / name)


def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="does not exist"):
        read(tmp_path / "none.txt")
