"""Names of BIDS, taken apart."""

from __future__ import annotations

import string

import pytest
from habena.app.io.bids_names import parse_name
from hypothesis import given
from hypothesis import strategies as st

KEYS = st.text(string.ascii_letters + string.digits, min_size=1, max_size=8)
VALUES = st.text(string.ascii_letters + string.digits + "-+", min_size=1, max_size=8)
EXTENSIONS = st.sampled_from(["", ".nii", ".nii.gz", ".json", ".tsv", ".dtseries.nii"])


@given(st.dictionaries(KEYS, VALUES, min_size=1, max_size=6), KEYS, EXTENSIONS)
def test_a_name_made_of_entities_is_taken_apart_into_them_and_put_together_again(
    entities: dict[str, str], suffix: str, extension: str
) -> None:
    name = "_".join([*(f"{key}-{value}" for key, value in entities.items()), suffix]) + extension
    parsed = parse_name(name)
    assert parsed is not None
    assert dict(parsed.entities) == entities
    assert (parsed.suffix, parsed.extension) == (suffix, extension)
    assert str(parsed) == name


@given(st.text(max_size=40))
def test_whatever_is_parsed_is_the_name_itself_and_nothing_raises(name: str) -> None:
    parsed = parse_name(name)
    assert parsed is None or str(parsed) == name


@pytest.mark.parametrize(
    "name", ["bold.nii.gz", "sub-01.nii.gz", "sub-01_sub-02_bold.nii", "sub-_bold.nii", "sub-01__bold.nii", "-1_x", ""]
)
def test_what_is_no_such_name_is_none(name: str) -> None:
    assert parse_name(name) is None


def test_an_fmriprep_name_has_its_space_resolution_and_description() -> None:
    name = parse_name("sub-K01_ses-pre_task-rest_space-MNI152NLin6Asym_res-2_desc-preproc_bold.nii.gz")
    assert name is not None
    assert (name.get("space"), name.get("res"), name.get("desc"), name.get("run")) == (
        *("MNI152NLin6Asym", "2", "preproc"),
        None,
    )
    assert name.is_image
    grayordinates = parse_name("sub-K01_task-rest_space-fsLR_den-91k_bold.dtseries.nii")
    assert grayordinates is not None
    assert not grayordinates.is_image
