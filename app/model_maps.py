"""Answers to the window's questions about models: the fit, permutations as they come in, maps of both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..stats.perm_counts import Counts
from .answers import Answer, ArrayImage, VertexValues, side_of
from .model_corrected import Inferred, inferred, neighbours_of
from .model_fit import Fitted, Tested, fit_model
from .model_inference import Inferring, check_inference, inferring
from .model_places import SurfacePlace, VolumePlace
from .model_written import all_maps, findings_of, notes_of
from .models import Inference
from .problems import Finding, Problem, silent
from .questions import ModelFit, ModelPermutations
from .recipes import ModelMap

Report = Callable[[float], None]
Show = Callable[[Any], None]
PARTIAL_S = 0.4  # between two pictures of permutations so far


@dataclass(frozen=True, eq=False)
class Permuted:
    """A test with the permutations that are counted so far.

    Attributes
    ----------
    ready : Inferring
    counts : Counts
    found : Inferred
    """

    ready: Inferring
    counts: Counts
    found: Inferred

    @property
    def n_done(self) -> int:
        """Arrangements counted, without the observed one."""
        return self.counts.done.size

    @property
    def n_total(self) -> int:
        """Arrangements asked for."""
        return self.ready.test.shuffling.count

    @property
    def nbytes(self) -> int:
        """Memory held beside the data, which the fit has."""
        return sum(each.nbytes for each in self.counts.exceed.values()) + 8 * self.ready.question.data.size


def fit_answer(question: ModelFit, report: Report = silent) -> Fitted:
    """The model fitted."""
    return fit_model(question.model, one_sided=question.one_sided, report=report)


def permute(
    question: ModelPermutations, fitted: Fitted, earlier: Permuted | None, report: Report, show: Show
) -> Permuted:
    """Count permutations, from where an earlier count of the same test stopped.

    Parameters
    ----------
    question : ModelPermutations
    fitted : Fitted
    earlier : Permuted or None
        What was counted before, with as many permutations wanted or others.
    report : callable
        May raise to stop; what was shown last stands.
    show : callable
        Called with what is counted so far, now and then.
    """
    check_inference(question.inference)
    tested = test_named(fitted, question.test)
    if tested.sphericity is not None:
        what = "is over more than two levels of repeated measures, which is not permuted"
        raise Problem(tested.name, what, "read its p by Greenhouse and Geisser")
    neighbours = neighbours_of(fitted, question.inference)
    ready = inferring(fitted, tested, question.inference, neighbours)
    counts = _carried_over(earlier, ready)
    shown = monotonic() - PARTIAL_S
    for now in ready.steps(counts, report):
        counts = now
        if monotonic() - shown >= PARTIAL_S:
            show(Permuted(ready, counts, inferred(ready, counts, question.inference, neighbours)))
            shown = monotonic()
    counts = ready.test.nothing() if counts is None else counts
    return Permuted(ready, counts, inferred(ready, counts, question.inference, neighbours))


def _carried_over(earlier: Permuted | None, ready: Inferring) -> Counts | None:
    """Counts that are of use: arrangement k is the same one unless all distinct ones are visited in turn."""
    if earlier is None:
        return None
    before, now = earlier.ready.test.shuffling, ready.test.shuffling
    if before.exhaustive != now.exhaustive or earlier.counts.largest.keys() != ready.test.nothing().largest.keys():
        return None
    return earlier.counts if earlier.counts.done.max(initial=0) <= now.count else None


def test_named(fitted: Fitted, name: str) -> Tested:
    """One test of a model.

    Raises
    ------
    Problem
        There is none of that name.
    """
    for tested in fitted.tests:
        if tested.name == name:
            return tested
    listed = ", ".join(tested.name for tested in fitted.tests)
    raise Problem(fitted.model.formula, f"has no test {name}", f"choose from {listed}")


def model_answer(question: ModelMap, fitted: Fitted, permuted: Permuted | None) -> Answer:
    """One map of one test."""
    tested = test_named(fitted, question.test)
    found = Inferred(tested, question.inference) if permuted is None else permuted.found
    found = replace(found, tested=tested)
    values, unit = _shown(question, found, fitted.n_elements)
    notes = notes_of(fitted, question.inference, [found]) | {"test": tested.name, "map": question.shown}
    findings = (*fitted.findings, *findings_of(fitted, question.inference), *_so_far(tested, permuted))
    answer = Answer(
        title=f"{tested.name}: {title_of_map(question.shown)}",
        statistic=_statistic(question, tested, unit),
        findings=findings,
        notes=notes,
        simulated=fitted.simulated,
    )
    place = None if fitted.data is None else fitted.data.place
    if isinstance(place, VolumePlace):
        return replace(answer, image=ArrayImage(place.grid, place.volume(values)), space=place.space)
    if isinstance(place, SurfacePlace):
        whole = np.full(place.n_vertices, np.nan, np.float32)
        whole[place.vertices] = values
        return replace(answer, cortex={side_of(place.cortex): VertexValues(whole)})
    raise Problem(fitted.model.source, "has no place in the brain to be shown on", "read the table of tests")


def _shown(question: ModelMap, found: Inferred, n_elements: int) -> tuple[NDArray[np.float32], str]:
    maps = all_maps(found)
    if question.shown in maps:
        values, unit = maps[question.shown]
        return np.asarray(values, np.float32), unit
    if question.inference.permutations:  # nothing is counted yet: every p is 1
        nothing = np.where(np.isfinite(found.tested.maps.statistic), 0, np.nan).astype(np.float32)
        return nothing, "-log10 p"
    listed = ", ".join(maps)
    raise Problem(question.test, f"has no map {question.shown} of {n_elements} elements", f"choose from {listed}")


def _so_far(tested: Tested, permuted: Permuted | None) -> tuple[Finding, ...]:
    if permuted is None or permuted.n_done >= permuted.n_total:
        return ()
    message = f"{permuted.n_done} of {permuted.n_total} permutations so far: corrected p will still change a little."
    return (Finding("permutations-so-far", tested.name, permuted.n_done, message),)


def title_of_map(shown: str) -> str:
    """A map's key in words."""
    words = {
        "t": "t",
        "F": "F",
        "estimate": "estimate",
        "se": "standard error",
        "partial-r": "partial r",
        "d": "Cohen's d",
        "f2": "Cohen's f²",
        "ci-low": "95 % interval, lower end",
        "ci-high": "95 % interval, upper end",
        "df": "degrees of freedom",
        "tfce": "TFCE",
        "clusters": "cluster number",
        "neglog10-p": "\N{MINUS SIGN}log10 p, uncorrected",
        "neglog10-p-permutation": "\N{MINUS SIGN}log10 p, permutation, uncorrected",
        "neglog10-q-fdr": "\N{MINUS SIGN}log10 q, false discovery rate",
        "neglog10-p-fwe": "\N{MINUS SIGN}log10 p, family-wise",
        "neglog10-p-tfce-fwe": "\N{MINUS SIGN}log10 p, family-wise, TFCE",
        "neglog10-p-cluster-extent": "\N{MINUS SIGN}log10 p, family-wise, cluster extent",
        "neglog10-p-cluster-mass": "\N{MINUS SIGN}log10 p, family-wise, cluster mass",
    }
    return words.get(shown, shown)


def short_title_of_map(shown: str) -> str:
    """The same for the name of a layer, beside which its statistic says the rest."""
    words = {
        "neglog10-p": "p",
        "neglog10-p-permutation": "p by permutation",
        "neglog10-q-fdr": "q FDR",
        "neglog10-p-fwe": "p FWE",
        "neglog10-p-tfce-fwe": "p TFCE",
        "neglog10-p-cluster-extent": "p cluster extent",
        "neglog10-p-cluster-mass": "p cluster mass",
    }
    return words.get(shown) or title_of_map(shown)


def _statistic(question: ModelMap, tested: Tested, unit: str) -> str:
    """How the colour bar calls the values: with everything that a reader needs to know of the correction."""
    shown, inference = question.shown, question.inference
    if shown in {"t", "F"}:
        a, b = tested.maps.df
        return f"t({b:.4g})" if shown == "t" else f"F({a:.4g},{b:.4g})"
    if not shown.startswith("neglog10"):
        return title_of_map(shown)
    told = [unit]
    if "tfce" in shown:
        told.append(f"H {inference.tfce_h:g}, E {inference.tfce_e:g}, {inference.connectivity} neighbours")
    if "cluster" in shown:
        told.append(f"formed at p < {inference.cluster_p:g}, {inference.connectivity} neighbours")
    if not tested.is_f:
        told.append("one-sided" if inference.one_sided else "two-sided")
    return ", ".join(told)


def maps_offered(tested: Tested, inference: Inference) -> tuple[str, ...]:
    """Keys of the maps that a test has or will have."""
    from .model_fit import maps_of  # noqa: PLC0415
    from .model_written import CORRECTED  # noqa: PLC0415

    keys = list(maps_of(tested))
    if inference.permutations and tested.sphericity is None:
        keys.append("neglog10-p-permutation")
    if inference.correction in CORRECTED and (inference.correction == "fdr" or tested.sphericity is None):
        keys.append(CORRECTED[inference.correction][0])
    return tuple(keys)
