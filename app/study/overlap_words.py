"""What an overlap of two maps comes to: its sizes, its test, and both in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .plan_overlap import SCHEME

if TYPE_CHECKING:
    from .answers import Plan
    from .overlap_shuffled import Sizes

LEVEL = 0.05


def details_of(
    plan: Plan, sizes: Sizes, null: NDArray[np.int64], voxel_mm3: float, rho: float | None
) -> dict[str, Any]:
    """Sizes, and the p of the overlap: the largest of three.

    An effect in one map alone makes the overlap larger than when that map is permuted, whatever the other is: only what
    is larger than each map's own permutation allows is an overlap of two effects.
    """
    from ...stats.conjunction import Overlap  # noqa: PLC0415
    from ...stats.perm_counts import estimate  # noqa: PLC0415

    found = {name: Overlap(*each) for name, each in sizes.overlaps().items()}
    p = {
        name: estimate(np.count_nonzero(column >= sizes.both), len(column))
        for name, column in zip(("joint", "given_groups", "given_change"), null.T, strict=True)
    }
    largest = max(p.values(), key=lambda each: float(each.p))
    rows = {
        name: {
            "first_mm3": each.n_first * voxel_mm3,
            "second_mm3": each.n_second * voxel_mm3,
            "both_mm3": each.n_both * voxel_mm3,
            "dice": each.dice,
        }
        for name, each in found.items()
    }
    return {
        **rows,
        "p_permutation": float(largest.p),
        "p_interval": [float(largest.low), float(largest.high)],
        "p_both_permuted": float(p["joint"].p),
        "p_given_groups": float(p["given_groups"].p),
        "p_given_change": float(p["given_change"].p),
        "permutations": len(null) + 1,
        "thresholds": list(plan.ask.thresholds),
        "scheme": SCHEME,
        "session_correlation": rho,
    }


def words_of(details: dict[str, Any], toward: NDArray[np.float64] | None) -> tuple[str, ...]:
    """Sizes and test in sentences; `toward` is how much nearer to the healthy mean the patients' mean comes."""
    said = [
        f"{title}: {part['both_mm3']:.0f} mm³ of {part['first_mm3']:.0f} and {part['second_mm3']:.0f} mm³ overlap"
        + (f" (Dice {part['dice']:.2f})." if np.isfinite(part["dice"]) else ".")
        for title, part in (
            ("Lower in patients and rising with improvement", details["low_plus"]),
            ("Higher in patients and falling with improvement", details["high_minus"]),
        )
    ]
    p = details["p_permutation"]
    verdict = "larger" if p < LEVEL else "not larger"
    said.append(
        f"Both overlaps together are {verdict} than of permuted people: p = {p:.3g}, the largest of three of "
        f"{details['permutations']} arrangements each (both maps permuted {details['p_both_permuted']:.3g}; with the "
        f"group map held {details['p_given_groups']:.3g}; with the change map held {details['p_given_change']:.3g}), "
        "since an effect in one map alone makes the others small."
    )
    said.append(f"{SCHEME}.")
    if toward is not None:
        share = float(np.nanmean(toward > 0))
        said.append(
            f"In {100 * share:.0f} % of voxels the patients' mean lies nearer to the healthy mean afterwards; some of "
            "that is regression to the mean, since the first scans are in both maps."
        )
    said.append("The named regions below are of the change; those of the group map are in a table of their own.")
    return tuple(said)
