"""Which affine counts, what is said about it, and the name of the space."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from habena.app.io.affines import quaternion_affine
from habena.app.io.space import Placement, settle_space
from habena.app.problems import Problem
from nifti_files import OBLIQUE

PATH = Path("scan.nii.gz")
SHAPE = (30, 40, 20)
EDGES = tuple(np.linalg.norm(OBLIQUE[:3, :3], axis=0))
SFORM = OBLIQUE
QFORM = np.diag([-2.0, 3.0, 4.0, 1.0])
BOTH = Placement(SHAPE, EDGES, "mm", SFORM, SFORM.copy(), 1, 1)
NEITHER = Placement(SHAPE, (2.0, 3.0, 4.0), "mm", None, None, 0, 0)


def codes(space):
    return {finding.code for finding in space.findings}


def settle(placement: Placement, path: Path = PATH, sidecar_space: str | None = None):
    return settle_space(path, placement, sidecar_space)


def test_the_sform_counts_when_its_code_is_above_0():
    space = settle(replace(BOTH, qform=QFORM))
    assert space.source == "sform"
    np.testing.assert_array_equal(space.grid.affine, SFORM)


def test_the_qform_counts_when_only_its_code_is_above_0():
    space = settle(Placement(SHAPE, (2, 3, 4), "mm", None, QFORM, 0, 2))
    assert space.source == "qform"
    assert space.disagreement_mm is None
    np.testing.assert_array_equal(space.grid.affine, QFORM)
    assert codes(space) == set()


def test_without_codes_the_place_is_nibabels_and_flagged():
    header = nib.Nifti1Header()
    header.set_data_shape(SHAPE)
    header.set_zooms((2, 3, 4))
    space = settle(NEITHER)
    assert space.source == "fallback"
    np.testing.assert_allclose(space.grid.affine, header.get_best_affine())
    assert codes(space) == {"no-orientation"}


def test_a_format_with_one_affine():
    space = settle(Placement(SHAPE, EDGES, affine=OBLIQUE))
    assert (space.source, space.sform_code, codes(space)) == ("format", None, set())


def test_a_format_that_states_no_place_is_flagged():
    space = settle(Placement(SHAPE, EDGES, affine=OBLIQUE, trusted=False))
    assert (space.source, codes(space)) == ("fallback", {"no-orientation"})


def test_rounding_of_a_quaternion_is_no_disagreement():
    """The trap of spinalcordtoolbox#5207: a qform made from the sform, in single precision."""
    header = nib.Nifti1Header()
    header.set_data_shape(SHAPE)
    rotation = np.linalg.svd(SFORM[:3, :3])
    affine = np.eye(4)
    affine[:3, :3] = rotation[0] @ rotation[2] * 0.8
    affine[:3, 3] = (-29.860409, -101.066895, -283.511963)
    header.set_qform(affine, 2)
    header.set_sform(affine, 2)
    space = settle(Placement(SHAPE, (0.8, 0.8, 0.8), "mm", header.get_sform(), header.get_qform(), 2, 2))
    assert 0 < space.disagreement_mm < 0.01
    assert codes(space) == set()


def test_two_places_are_reported_in_mm_and_degrees():
    moved = SFORM.copy()
    moved[0, 3] += 1.5
    space = settle(replace(BOTH, qform=moved, qform_code=2))
    assert space.disagreement_mm == pytest.approx(1.5)
    assert space.disagreement_deg == pytest.approx(0, abs=1e-6)
    (finding,) = space.findings
    assert finding.code == "sform-qform"
    assert finding.value == pytest.approx(1.5)
    assert "1.5 mm" in finding.message


def test_a_turn_alone_is_reported_too():
    half = np.sin(np.radians(0.5))
    turned = quaternion_affine((half, 0, 0), (0, 0, 0), (2, 2, 2), 1)
    space = settle(Placement((1, 1, 1), (2, 2, 2), "mm", np.diag([2.0, 2, 2, 1]), turned, 1, 1))
    assert space.disagreement_deg == pytest.approx(1, abs=1e-3)
    assert "sform-qform" in codes(space)


def singular() -> np.ndarray:
    affine = SFORM.copy()
    affine[:, 2] = affine[:, 1]
    return affine


def with_value(value: float) -> np.ndarray:
    affine = SFORM.copy()
    affine[1, 1] = value
    return affine


@pytest.mark.parametrize(
    ("placement", "words"),
    [
        (replace(BOTH, sform=np.zeros((4, 4))), "sform is singular"),
        (replace(BOTH, sform=singular()), "one plane"),
        (replace(BOTH, sform=with_value(np.nan)), "NaN"),
        (replace(BOTH, sform=with_value(np.inf)), "infinity"),
        (replace(BOTH, sform=with_value(1e30)), "1e\\+30"),
        (Placement(SHAPE, (2, 0, 2), "mm", None, np.diag([2.0, 0, 2, 1]), 0, 1), "qform is singular.*along j"),
        (Placement(SHAPE, (2, 2, 2), "mm", None, None, 0, 1), "not a rotation"),
        (Placement(SHAPE, EDGES, affine=np.full((4, 4), np.nan)), "affine holds NaN"),
    ],
)
def test_an_unusable_affine_is_refused_with_the_reason(placement, words):
    with pytest.raises(Problem, match=words) as refusal:
        settle(placement)
    assert refusal.value.where == str(PATH)


def test_a_broken_qform_is_flagged_when_the_sform_counts():
    space = settle(replace(BOTH, qform=None))
    assert (space.source, space.disagreement_mm, codes(space)) == ("sform", None, {"qform-unusable"})
    for value in (np.nan, 1e300):
        assert codes(settle(replace(BOTH, qform=with_value(value)))) == {"qform-unusable"}


def test_missing_units_are_flagged():
    assert codes(settle(replace(BOTH, unit="unknown"))) == {"units-missing"}


def test_micrometres_that_make_sense_are_converted():
    placement = Placement((300, 400, 200), (50, 50, 50), "um", np.diag([50.0, 50, 50, 1]), None, 1, 0)
    space = settle(placement)
    assert space.grid.zooms_mm == pytest.approx((0.05, 0.05, 0.05))
    np.testing.assert_allclose(space.sform, space.grid.affine)
    assert codes(space) == {"units-converted"}


def test_metres_that_make_sense_are_converted():
    affine = np.diag([0.002, 0.002, 0.002, 1])
    affine[0, 3] = 0.05
    space = settle(Placement((91, 109, 91), (0.002, 0.002, 0.002), "m", affine, None, 1, 0))
    assert space.grid.affine[0].tolist() == pytest.approx([2, 0, 0, 50])


def test_micrometres_of_a_head_are_taken_as_millimetres_and_flagged():
    space = settle(replace(BOTH, unit="um"))
    np.testing.assert_array_equal(space.grid.affine, SFORM)
    assert codes(space) == {"units-absurd"}


def test_voxels_of_500_mm_are_flagged():
    affine = np.diag([500.0, 500, 500, 1])
    space = settle(Placement(SHAPE, (500, 500, 500), "mm", affine, None, 1, 0))
    assert codes(space) == {"zooms-absurd"}


def test_a_zoom_of_0_beside_a_sound_sform_is_flagged():
    assert codes(settle(replace(BOTH, pixdim=(0.0, *EDGES[1:])))) == {"zooms-missing"}


def test_a_zoom_of_0_without_codes_becomes_1_and_is_flagged():
    space = settle(replace(NEITHER, pixdim=(2.0, 0.0, 4.0)))
    assert space.grid.zooms_mm == (2, 1, 4)
    assert codes(space) == {"no-orientation", "zooms-missing"}


def test_a_zoom_that_contradicts_the_affine_is_flagged():
    assert codes(settle(replace(BOTH, pixdim=(1.0, *EDGES[1:])))) == {"zooms-differ"}


@pytest.mark.parametrize(
    ("name", "sidecar", "code", "expected", "flag"),
    [
        ("sub-1_space-MNI152NLin2009cAsym_bold.nii.gz", None, 1, "MNI152NLin2009cAsym", None),
        ("sub-1_space-MNI152NLin2009cAsym_bold.nii.gz", "Talairach", 4, "MNI152NLin2009cAsym", None),
        ("sub-1_space-MNI_bold.nii.gz", None, 4, "MNI152", "space-unconfirmed"),
        ("map.nii.gz", "MNI152NLin6Asym", 4, "MNI152NLin6Asym", None),
        ("map.nii.gz", None, 4, "MNI152", "space-unconfirmed"),
        ("map.nii.gz", None, 3, "Talairach", "space-unconfirmed"),
        ("map.nii.gz", None, 5, None, "space-unnamed"),
        ("map.nii.gz", None, 1, None, None),
        ("respace-MNI152NLin6Asym.nii.gz", None, 1, None, None),
    ],
)
def test_the_space_is_named_by_file_name_then_sidecar_then_code(name, sidecar, code, expected, flag):
    space = settle(replace(BOTH, sform_code=code), Path(name), sidecar)
    assert space.template == expected
    assert codes(space) == ({flag} if flag else set())
