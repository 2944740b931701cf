"""Names of BIDS, taken apart."""

from __future__ import annotations

import string

import numpy as np
import pytest
from habena.app.io.bids_names import parse_name
from habena.app.io.bids_tables import as_numbers
from habena.app.study.reading_order import When, in_order
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


@given(st.permutations(["ses-baseline", "ses-day4", "ses-day11", "ses-week2", "ses-post"]))
def test_the_order_of_sessions_by_name_does_not_depend_on_the_order_they_are_met_in(names: list[str]) -> None:
    assert in_order(names, ()) == ("ses-baseline", "ses-day4", "ses-day11", "ses-week2", "ses-post")


@given(st.permutations(["ses-a", "ses-b", "ses-c"]), st.integers(0, 3))
def test_one_person_with_swapped_days_does_not_turn_the_order_of_the_study(names: list[str], swapped: int) -> None:
    days = dict(zip(names, (0.0, 4.0, 14.0), strict=True))
    times = [When(f"sub-{n}", name, "day", day) for n in range(4) for name, day in days.items() if n != swapped]
    backwards = zip(names, (14.0, 4.0, 0.0), strict=True)
    times += [When(f"sub-{swapped}", name, "day", day) for name, day in backwards]
    assert in_order(sorted(names), times) == tuple(names)


@given(st.lists(st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False).map(repr)), max_size=8))
def test_numbers_written_as_text_are_those_numbers(texts: list[str | None]) -> None:
    numbers = as_numbers(texts)
    if not any(texts):
        assert numbers is None
        return
    assert numbers is not None
    assert numbers.refused == ()
    np.testing.assert_array_equal(numbers.values, [np.nan if text is None else float(text) for text in texts])


@pytest.mark.parametrize(
    ("texts", "refused"),
    [
        (["1", "2", "x"], (2,)),
        (["1", "2,5", "3"], (1,)),
        (["1", "1e999", None], (1,)),
        (["a", "b", "1"], None),
        (["007", "008"], None),
        ([None, None], None),
    ],
)
def test_what_is_no_number_among_numbers_is_refused(texts: list[str | None], refused: tuple[int, ...] | None) -> None:
    numbers = as_numbers(texts)
    assert (None if numbers is None else numbers.refused) == refused
