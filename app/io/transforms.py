"""Affine transforms from a template to a scan's own space: ITK (ANTs, fMRIPrep) as text, MATLAB or HDF5, FSL's FLIRT.

Written here rather than taken from nitransforms 25.1, which reads these too and agrees: what a viewer needs of it are
the few numbers of an affine, and why a file has none is told in its words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..grid import Affine, Grid
from ..problems import Problem
from .files import reading

LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
MOST_BYTES = 5_000_000
_LINEAR = ("AffineTransform", "MatrixOffsetTransformBase", "ScaleSkewVersor3DTransform")
_TODO = "give an affine transform of ITK (.txt, .mat, .h5) or of FSL (.mat)"
_NONLINEAR = "is not affine ({kind}): a warp is not used to show a scan in its own space"


def read_affine(path: Path, native: Grid, template: Grid) -> Affine:
    """The affine that takes places of a template to places of a scan.

    Parameters
    ----------
    path : Path
        A transform that brings the scan to the template (BIDS ``from-T1w_to-MNI..._mode-image_xfm``). ITK keeps in it
        where each place of the template comes from, in LPS millimetres [1]_; FSL where each place of the scan goes,
        in millimetres of voxels, the first axis mirrored where an affine has a positive determinant [2]_.
    native, template : Grid
        Of the scan, and of the image that it was brought to; only FSL refers to them.

    Returns
    -------
    (4, 4) float64
        RAS millimetres of the template to RAS millimetres of the scan.

    Raises
    ------
    Problem
        The file cannot be read, is no transform, is not affine, or cannot be inverted.

    References
    ----------
    .. [1] ITK Software Guide, 2.9.1, "Geometrical transformation".
    .. [2] FSL wiki, FLIRT FAQ: "What is the format of the matrix used by FLIRT".
    """
    with reading(path):
        size = path.stat().st_size
    if path.suffix == ".h5":
        affine = _of_hdf5(path)
    elif size > MOST_BYTES:
        raise Problem(path, "is too large for an affine transform", _TODO)
    else:
        affine = _of_small(path, native, template)
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-6:
        raise Problem(path, "holds an affine that cannot be inverted", _TODO)
    return affine


def _of_small(path: Path, native: Grid, template: Grid) -> Affine:
    with reading(path):
        content = path.read_bytes()
    text = content.decode("latin-1")
    if text.startswith("#Insight Transform File"):
        return _of_text(path, text)
    matrix = _matrix_of(text)
    if matrix is not None:
        return _of_fsl(matrix, native, template)
    if path.suffix == ".mat":
        return _of_matlab(path)
    raise Problem(path, "is no transform that is known", _TODO)


# -- ITK


def _of_text(path: Path, text: str) -> Affine:
    """All transforms of a file; the last one is applied first."""
    kinds = re.findall(r"^Transform:\s*(\S+)", text, re.MULTILINE)
    parameters = re.findall(r"^Parameters:[ \t]*(.*)$", text, re.MULTILINE)
    fixed = re.findall(r"^FixedParameters:[ \t]*(.*)$", text, re.MULTILINE)
    if not kinds or not len(kinds) == len(parameters) == len(fixed):
        raise Problem(path, "is an ITK transform that is cut short", _TODO)
    return _joined(
        [_of_itk(path, *each) for each in zip(kinds, map(_numbers, parameters), map(_numbers, fixed), strict=True)]
    )


def _of_matlab(path: Path) -> Affine:
    """What ANTs calls ``0GenericAffine.mat``: version 4 of MATLAB's format."""
    from scipy.io import loadmat  # noqa: PLC0415 - slow to import

    try:
        found: dict[str, Any] = loadmat(path)
    except Exception as error:
        raise Problem(path, "is no transform that is known", _TODO) from error
    kind = next((name for name in found if "Transform" in name), None)
    if kind is None or "fixed" not in found:
        raise Problem(path, "is a MATLAB file without a transform", _TODO)
    return _of_itk(path, kind, np.ravel(found[kind]), np.ravel(found["fixed"]))


def _of_hdf5(path: Path) -> Affine:
    """One transform or several in a composite, of which the last is applied first."""
    import h5py  # noqa: PLC0415 - slow to import

    parts: list[Affine] = []
    try:
        with h5py.File(path, "r") as file:
            group: Any = file["TransformGroup"]
            for name in sorted(group, key=int):
                (kind,) = group[name]["TransformType"][:].tolist()
                kind = kind.decode() if isinstance(kind, bytes) else str(kind)
                if kind.startswith("CompositeTransform"):
                    continue
                _refuse_warp(path, kind)
                # ITK before 4.13 misspelt its names
                values = (_first(group[name], *names) for names in _NAMES)
                parts.append(_of_itk(path, kind, *values))
    except (OSError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise Problem(path, "is no ITK transform in HDF5", _TODO) from error
    if not parts:
        raise Problem(path, "holds no transform", _TODO)
    return _joined(parts)


_NAMES = (
    ("TransformParameters", "TranformParameters"),
    ("TransformFixedParameters", "TranformFixedParameters"),
)


def _first(group: Any, *names: str) -> NDArray[np.float64]:
    name = next((name for name in names if name in group), names[0])
    return np.asarray(group[name][:], np.float64)


def _refuse_warp(path: Path, kind: str) -> None:
    if not kind.startswith((*_LINEAR, "Euler3DTransform", "TranslationTransform", "IdentityTransform")):
        raise Problem(path, _NONLINEAR.format(kind=kind.partition("_")[0]), _TODO)


def _of_itk(path: Path, kind: str, parameters: NDArray[np.float64], fixed: NDArray[np.float64]) -> Affine:
    """X' = A (x - c) + c + t in LPS, as an affine in RAS."""
    _refuse_warp(path, kind)
    name = kind.partition("_")[0]
    matrix, shift = np.eye(3), np.zeros(3)
    try:
        if name == "Euler3DTransform":
            matrix, shift = _euler(parameters[:3], z_y_x=fixed.size > 3 and fixed[3] != 0), parameters[3:6]
        elif name == "TranslationTransform":
            shift = parameters[:3]
        elif name != "IdentityTransform":
            matrix, shift = parameters[:9].reshape(3, 3), parameters[9:12]
        centre = fixed[:3] if fixed.size >= 3 else np.zeros(3)
        affine = np.eye(4)
        affine[:3, :3], affine[:3, 3] = matrix, shift + centre - matrix @ centre
    except ValueError as error:
        raise Problem(path, f"is an ITK transform with {parameters.size} numbers, which is no {name}", _TODO) from error
    return LPS @ affine @ LPS


def _euler(angles_rad: NDArray[np.float64], *, z_y_x: bool) -> NDArray[np.float64]:
    """Rotation by angles round x, y and z: ITK multiplies Rz Rx Ry, or Rz Ry Rx where the file asks for that."""
    (cx, cy, cz), (sx, sy, sz) = np.cos(angles_rad), np.sin(angles_rad)
    x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return z @ y @ x if z_y_x else z @ x @ y


def _joined(parts: Sequence[Affine]) -> Affine:
    whole = np.eye(4)
    for part in parts:
        whole = whole @ part
    return whole


def _numbers(text: str) -> NDArray[np.float64]:
    try:
        return np.array(text.split(), np.float64)
    except ValueError:
        return np.array([])


# -- FSL


def _matrix_of(text: str) -> Affine | None:
    """Four rows of four numbers, the last 0 0 0 1; None for anything else."""
    rows = [_numbers(line) for line in text.splitlines() if line.strip()]
    if [row.size for row in rows] != [4] * 4 or not np.allclose(rows[3], [0, 0, 0, 1]):
        return None
    return np.array(rows)


def _of_fsl(matrix: Affine, native: Grid, template: Grid) -> Affine:
    """From FSL's millimetres of the scan to those of its reference, turned round, as an affine in RAS."""
    if abs(np.linalg.det(matrix[:3, :3])) < 1e-6:
        return np.full((4, 4), np.nan)
    to_native: Affine = native.affine @ np.linalg.inv(_fsl_mm(native)) @ np.linalg.inv(matrix) @ _fsl_mm(template)
    return to_native @ template.inverse


def _fsl_mm(grid: Grid) -> Affine:
    """From voxels to FSL's millimetres."""
    scaled = np.diag([*grid.zooms_mm, 1.0])
    if grid.determinant > 0:
        scaled[0] = [-grid.zooms_mm[0], 0, 0, (grid.shape[0] - 1) * grid.zooms_mm[0]]
    return scaled
