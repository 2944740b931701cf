"""Permutations of a study's model for the window: shown as they come in, and kept on disk with those of answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..model_corrected import inferred, neighbours_of
from ..model_inference import Inferring, check_inference, inferring
from ..model_maps import Permuted, permute, test_named
from ..problems import silent
from .counted import counted

if TYPE_CHECKING:
    from ...stats.perm_counts import Counts
    from ..model_fit import Fitted
    from ..questions import ModelPermutations

Report = Callable[[float], None]


@dataclass(frozen=True, eq=False)
class _Streamed(Inferring):
    """A test whose permutations are counted in the sight of somebody."""

    count: Callable[[Report], Counts]

    def all(self, report: Report = silent) -> Counts:
        return self.count(report)


def streamed(
    question: ModelPermutations,
    fitted: Fitted,
    earlier: Permuted | None,
    report: Report = silent,
    show: Callable[[Any], None] = lambda _: None,
) -> Permuted:
    """As `model_maps.permute`; at once where the same was counted before, by the window or for an answer."""
    check_inference(question.inference)
    tested = test_named(fitted, question.test)
    if tested.sphericity is not None:
        return permute(question, fitted, earlier, report, show)  # which says why not
    neighbours = neighbours_of(fitted, question.inference)
    ready = inferring(fitted, tested, question.inference, neighbours)

    def count(tell: Report) -> Counts:
        return permute(question, fitted, earlier, tell, show).counts

    in_sight = _Streamed(ready.tested, ready.test, ready.question, ready.threshold, count)
    counts = counted(in_sight, question.inference, report)
    return Permuted(ready, counts, inferred(ready, counts, question.inference, neighbours))
