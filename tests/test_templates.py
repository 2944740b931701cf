"""Which spaces may be combined, and what is said."""

from __future__ import annotations

import numpy as np
import pytest
from habena.app.io.atlases import atlas_ids, describe, load_atlas
from habena.app.templates import HABENULA_SHIFT_MM, MNI305_SHIFT_MM, compatible, findings, known_template


@pytest.mark.parametrize(
    ("space", "template", "level"),
    [
        ("MNI152NLin2009cAsym", "MNI152NLin2009cAsym", "same"),
        ("MNI152NLin6ASym", "MNI152NLin6Asym", "same"),
        ("fsaverage5", "fsaverage", "same"),
        ("MNI152NLin6Asym", "MNI152NLin2009cAsym", "family"),
        ("MNI152NLin2009aSym", "IXI549Space", "family"),
        ("MNI152NLin2009cAsym", "MNIColin27", "family"),
        ("MNI152", "MNI152", "family"),
        ("MNI152, variant not stated", "MNI152NLin6Asym", "family"),
        ("MNI305", "MNI152NLin6Asym", "different"),
        ("fsaverage", "MNIColin27", "different"),
        ("Talairach", "MNI152NLin6Asym", "different"),
        ("MNIInfant", "MNI152NLin6Asym", "different"),
        ("T1w", "MNI152NLin6Asym", "unknown"),
        ("individual", "MNI152NLin6Asym", "unknown"),
        (None, "MNI152NLin6Asym", "unknown"),
        ("", "MNI152NLin6Asym", "unknown"),
        ("myTemplate", "MNI152NLin6Asym", "unknown"),
        ("MNI152NLin6Asym", "", "unknown"),
    ],
)
def test_spaces_that_may_be_combined(space: str | None, template: str, level: str):
    fit = compatible(space, template)
    assert fit.level == level
    assert fit.names_regions == (level in {"same", "family"})
    assert bool(fit.message) == (level != "same")


def test_two_variants_are_combined_with_the_measured_fact():
    fit = compatible("MNI152NLin6Asym", "MNI152NLin2009cAsym")
    assert fit.shift_mm == HABENULA_SHIFT_MM
    assert "3.6 mm in MNI152NLin2009cAsym and at 2.5 mm in MNI152NLin6Asym" in fit.message
    atlas = load_atlas("cit168")
    right = next(region for region in atlas.regions if region.abbreviation == "HN_RH")
    assert atlas.info.template == "MNI152NLin2009cAsym"
    assert atlas.centre_mm(right)[0] == pytest.approx(2.5 + HABENULA_SHIFT_MM, abs=0.05)


def test_the_distance_between_mni152_and_mni305():
    # FreeSurfer's CoordinateSystems page: MNI152 to MNI305, and what it makes of (10, -20, 35)
    affine = np.array(
        [[1.0022, 0.0071, -0.0177, 0.0528], [-0.0146, 0.9990, 0.0027, -1.5519], [0.0129, 0.0094, 1.0027, -1.2012]]
    )
    place = np.array([10, -20, 35])
    moved = affine @ [*place, 1]
    np.testing.assert_allclose(moved, [9.3131, -21.5849, 33.8345], atol=2e-3)
    assert np.linalg.norm(moved - place) == pytest.approx(MNI305_SHIFT_MM, abs=0.05)
    assert compatible("MNI305", "MNI152NLin6Asym").shift_mm == MNI305_SHIFT_MM


def test_one_finding_for_each_atlas_that_does_not_fit_exactly():
    found = findings("MNI152NLin6Asym", [describe(i) for i in ("schaefer200", "cit168", "aal2")])
    assert [(one.code, one.where, one.value) for one in found] == [
        ("template-family", "cit168", HABENULA_SHIFT_MM),
        ("template-family", "aal2", None),
    ]
    assert "Colin 27" in found[1].message
    native = findings(None, [describe("cit168")])
    assert [one.code for one in native] == ["template-unknown"]
    assert "does not say which space" in native[0].message


@pytest.mark.parametrize("atlas_id", atlas_ids())
def test_templates_of_all_atlases_are_known_and_of_the_mni152_family(atlas_id: str):
    template = known_template(describe(atlas_id).template)
    assert template is not None
    assert template.family == "MNI152"
