"""Quaternions against nibabel, disagreement against closed forms."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from habena.app.io.affines import disagreement, quaternion_affine
from hypothesis import given
from hypothesis import strategies as st

SHAPE = (11, 21, 31)
part = st.floats(-0.5625, 0.5625, width=32)
edge = st.floats(0.25, 8.0, width=32)
place = st.floats(-200, 200, width=32)


def turned(degrees: float, edges: tuple[float, float, float] = (2, 2, 2)) -> np.ndarray:
    """Affine turned about z."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    affine = np.eye(4)
    affine[:3, :3] = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) * edges
    return affine


@given(
    quaternion=st.tuples(part, part, part),
    offset=st.tuples(place, place, place),
    edges=st.tuples(edge, edge, edge),
    qfac=st.sampled_from([-1.0, 1.0]),
)
def test_a_quaternion_gives_the_affine_of_nibabel(quaternion, offset, edges, qfac):
    header = nib.Nifti1Header()
    header.set_data_shape((3, 4, 5))
    header["pixdim"][:4] = (qfac, *edges)
    header["qform_code"] = 1
    for name, value in zip(("b", "c", "d"), quaternion, strict=True):
        header[f"quatern_{name}"] = value
    for name, value in zip(("x", "y", "z"), offset, strict=True):
        header[f"qoffset_{name}"] = value
    affine = quaternion_affine(quaternion, offset, edges, qfac)
    np.testing.assert_allclose(affine, header.get_qform(), atol=1e-4)


def test_a_half_turn_whose_quaternion_is_rounded_is_still_a_rotation():
    affine = quaternion_affine((0.0, 0.0, 1.0000001), (5, 6, 7), (1, 2, 3), 1)
    np.testing.assert_allclose(affine, [[-1, 0, 0, 5], [0, -2, 0, 6], [0, 0, 3, 7], [0, 0, 0, 1]], atol=1e-6)


@pytest.mark.parametrize("quaternion", [(0.9, 0.9, 0.9), (np.nan, 0, 0), (np.inf, 0, 0)])
def test_what_is_no_rotation_gives_none(quaternion):
    assert quaternion_affine(quaternion, (0, 0, 0), (1, 1, 1), 1) is None


def test_a_shift_moves_every_corner_alike_and_turns_nothing():
    other = turned(20)
    moved = other.copy()
    moved[:3, 3] += (3, 0, 4)
    millimetres, degrees = disagreement(SHAPE, other, moved)
    assert millimetres == pytest.approx(5)
    assert degrees == pytest.approx(0, abs=1e-6)


@given(st.floats(1e-4, 179))
def test_the_angle_of_a_turn_about_z_and_the_path_of_its_farthest_corner(angle):
    millimetres, degrees = disagreement(SHAPE, turned(0), turned(angle))
    radius = np.hypot(2 * 10, 2 * 20)
    assert degrees == pytest.approx(angle, rel=1e-6, abs=1e-6)
    assert millimetres == pytest.approx(2 * radius * np.sin(np.radians(angle) / 2), rel=1e-9)


def test_voxel_size_is_no_rotation():
    assert disagreement(SHAPE, turned(30), turned(30, (1, 2, 3)))[1] == pytest.approx(0, abs=1e-6)


def test_a_mirror_counts_as_half_a_turn():
    assert disagreement(SHAPE, turned(0), turned(0, (-2, 2, 2)))[1] == 180
