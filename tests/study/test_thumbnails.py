"""Small pictures of scans: the right way round, once computed, kept."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from habena.app.problems import Problem
from habena.app.settings import cache_folder
from habena.app.study.thumbnails import SIDE, thumbnail


def write(path: Path, affine: np.ndarray) -> Path:
    """A block of 1 and a bright corner at the person's right, in front."""
    places = np.moveaxis(np.indices((20, 20, 20)), 0, -1) @ affine[:3, :3].T + affine[:3, 3]
    values = (np.abs(places) < 30).all(axis=-1).astype(np.float32)
    values[(places[..., 0] > 12) & (places[..., 1] > 12) & (values > 0)] = 4
    nib.save(nib.Nifti1Image(values, affine), path)
    return path


@pytest.mark.parametrize("flip", [1, -1])
def test_the_right_is_right_and_the_front_is_up_whichever_way_voxels_are_stored(tmp_path, flip):
    affine = np.diag([4.0 * flip, 4.0, 4.0, 1.0])
    affine[:3, 3] = [-38 * flip, -38, -38]
    picture = thumbnail(write(tmp_path / "scan.nii.gz", affine))
    assert picture.shape == (SIDE, SIDE)
    upper, lower = picture[11:16], picture[32:37]
    assert upper[:, 32:37].mean() == 255
    assert upper[:, 11:16].mean() < 120
    assert lower[:, 32:37].mean() < 120
    assert picture[0, 0] == 0


def test_it_is_kept_until_the_scan_changes(tmp_path):
    affine = np.diag([4.0, 4.0, 4.0, 1.0])
    affine[:3, 3] = -38
    path = write(tmp_path / "scan.nii.gz", affine)
    first = thumbnail(path)
    kept = list((cache_folder() / "thumbnails").glob("*.npy"))
    assert len(kept) == 1
    np.save(kept[0], np.full((SIDE, SIDE), 7, np.uint8))
    assert (thumbnail(path) == 7).all()
    kept[0].write_bytes(b"no picture")
    np.testing.assert_array_equal(thumbnail(path), first)


def test_a_scan_that_is_gone_is_a_problem(tmp_path):
    with pytest.raises(Problem, match="cannot be read"):
        thumbnail(tmp_path / "none.nii.gz")
