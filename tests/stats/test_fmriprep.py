"""Named strategies pick fMRIPrep's columns, and refuse what the names do not settle."""

from __future__ import annotations

import pytest
from habena.stats.errors import CannotCompute
from habena.stats.fmriprep import STRATEGIES, confounds_of

MOTION = ["trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z"]
EXPANSIONS = ["", "_derivative1", "_power2", "_derivative1_power2"]
TABLE = [
    *(name + e for name in ["csf", "white_matter", "global_signal", *MOTION] for e in EXPANSIONS),
    "csf_wm",
    "framewise_displacement",
    *(f"a_comp_cor_{k:02}" for k in range(12)),
    *(f"w_comp_cor_{k:02}" for k in reversed(range(7))),
    *(f"c_comp_cor_{k:02}" for k in range(3)),
    *(f"cosine{k:02}" for k in range(11)),
    *(f"non_steady_state_outlier{k:02}" for k in range(2)),
    "aroma_motion_02",
    "aroma_motion_11",
]


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        ("motion6", set(MOTION)),
        ("motion24", {name + e for name in MOTION for e in EXPANSIONS}),
        ("wm-csf", {"white_matter", "csf"}),
        ("wm-csf8", {name + e for name in ("white_matter", "csf") for e in EXPANSIONS}),
        ("global", {"global_signal"}),
        ("global4", {"global_signal" + e for e in EXPANSIONS}),
        ("cosine", {f"cosine{k:02}" for k in range(11)}),
        ("non-steady", {"non_steady_state_outlier00", "non_steady_state_outlier01"}),
        ("aroma-aggressive", {"aroma_motion_02", "aroma_motion_11"}),
    ],
)
def test_each_strategy_takes_its_columns(strategy: str, expected: set[str]) -> None:
    taken = confounds_of(strategy, TABLE)
    assert set(taken) == expected
    assert len(taken) == len(expected)


def test_acompcor_takes_the_first_five_of_each_tissue_and_the_cosines() -> None:
    taken = confounds_of("acompcor5", TABLE)
    assert taken[:8] == (*(f"w_comp_cor_{k:02}" for k in range(5)), *(f"c_comp_cor_{k:02}" for k in range(3)))
    assert taken[8:] == tuple(f"cosine{k:02}" for k in range(11))


def test_the_36_parameters_of_ciric() -> None:
    assert len(confounds_of("motion24+wm-csf8+global4", TABLE)) == 36


def test_a_column_taken_twice_is_listed_once() -> None:
    assert confounds_of("motion6 + motion6", TABLE) == tuple(MOTION)


@pytest.mark.parametrize(
    ("strategy", "columns", "what"),
    [
        ("motion24", MOTION, "no column trans_x_derivative1"),
        ("global", MOTION, "no column global_signal"),
        ("acompcor5", ["a_comp_cor_00", "cosine00"], "do not say which tissue"),
        ("acompcor5", ["w_comp_cor_00", "c_comp_cor_00"], "cosines of the high-pass"),
        ("cosine", ["cosine_x"], "no cosines"),
        ("aroma-nonaggressive", TABLE, "no regression"),
        ("motion7", TABLE, "no confound strategy 'motion7'"),
        ("", TABLE, "no confound strategy"),
    ],
)
def test_what_cannot_be_done_right_is_refused(strategy: str, columns: list[str], what: str) -> None:
    with pytest.raises(CannotCompute, match=what):
        confounds_of(strategy, columns)


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(CannotCompute) as refused:
        confounds_of("x", TABLE)
    assert all(name in refused.value.todo for name in STRATEGIES)
