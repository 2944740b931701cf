"""A fitted model as rows of tables and lines of text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...widgets.numbers import format_number
from ...widgets.value_model import Cell
from ..model_corrected import Inferred
from ..model_fit import Fitted, Tested
from ..model_maps import Permuted, maps_offered, title_of_map
from ..model_places import RegionPlace
from ..model_traps import power_lines, traps_of
from ..model_written import findings_of
from ..models import Inference
from ..recipes import Point
from ..seeds import in_words
from .model_check import words_of

Counted = Mapping[str, Permuted]


class Rows(NamedTuple):
    """Tables of a model.

    Attributes
    ----------
    tests, names
        A row for each test, and what it is called.
    peaks : tuple
        Of each test, in mm; None where there is no place.
    regions : tuple or None
        A row for each region of the chosen test, for tables of regions.
    region_names : tuple of str
    maps : tuple of (str, str)
        Keys and titles of the maps that the chosen test has or will have; none where there is no place.
    legend, notes : str
    warnings : int
    """

    tests: tuple[tuple[Cell, ...], ...]
    names: tuple[str, ...]
    peaks: tuple[Point | None, ...]
    regions: tuple[tuple[Cell, ...], ...] | None
    region_names: tuple[str, ...]
    maps: tuple[tuple[str, str], ...]
    legend: str
    notes: str
    warnings: int


def rows_of(fitted: Fitted, inference: Inference, counted: Counted, chosen: str) -> Rows:
    """Tables of a fitted model, with what is counted of each test."""
    found = [_inferred(tested, inference, counted.get(tested.name)) for tested in fitted.tests]
    peaks = [_peak(fitted, each.tested) for each in found]
    tests = tuple(_row(fitted, each, at) for each, at in zip(found, peaks, strict=True))
    places = tuple(None if fitted.data is None else fitted.data.place.where(at).at_mm for at in peaks)
    tested = next((each for each in fitted.tests if each.name == chosen), fitted.tests[0])
    notes, warnings = notes_of(fitted, inference)
    regions, names = None, ()
    if fitted.data is not None and isinstance(fitted.data.place, RegionPlace):
        names = fitted.data.place.names
        regions = _regions(found[fitted.tests.index(tested)], names)
    return Rows(
        tests,
        tuple(each.name for each in fitted.tests),
        places,
        regions,
        names,
        tuple((key, title_of_map(key)) for key in maps_offered(tested, inference)),
        legend_of(fitted, inference, tested),
        notes,
        warnings,
    )


def _inferred(tested: Tested, inference: Inference, permuted: Permuted | None) -> Inferred:
    return Inferred(tested, inference) if permuted is None else permuted.found


def _peak(fitted: Fitted, tested: Tested) -> int:
    """The element of the largest statistic, in the direction that is looked for."""
    values = tested.maps.statistic
    sizes = values if fitted.one_sided and not tested.is_f else np.abs(values)
    return int(np.nanargmax(sizes)) if np.isfinite(sizes).any() else 0


def _row(fitted: Fitted, each: Inferred, at: int) -> tuple[Cell, ...]:
    maps, result = each.tested.maps, each.result
    where = None if fitted.data is None else fitted.data.place.where(at)
    place = "" if where is None else where.name or ("" if where.at_mm is None else in_words(where.at_mm))
    interval = ""
    if result is not None:
        low, high = float(result.p_fwe.low[at]), float(result.p_fwe.high[at])
        exact = result.exhaustive and result.n_done == result.n_total
        interval = "exact" if exact else f"{format_number(low)} to {format_number(high)}"
    return (
        each.tested.name,
        statistic_of(each.tested),
        float(maps.statistic[at]),
        float(maps.p[at]),
        None if result is None else float(result.p.p[at]),
        None if each.p_fwe is None else float(each.p_fwe[at]),
        interval,
        each.smallest_corrected(),
        None if maps.estimate is None else float(maps.estimate[at]),
        float(maps.effect[at]),
        place,
    )


def statistic_of(tested: Tested) -> str:
    """Such as ``t(27)`` or ``F(2, 27)``; with degrees of freedom by voxel only the kind."""
    a, b = tested.maps.df
    if tested.maps.df_map is not None:
        return "Welch's t" if tested.statistic == "t" else "Welch's F"
    return f"t({b:.4g})" if tested.statistic == "t" else f"F({a:.4g}, {b:.4g})"


def _regions(each: Inferred, names: tuple[str, ...]) -> tuple[tuple[Cell, ...], ...]:
    maps = each.tested.maps
    p_permutation = None if each.result is None else each.result.p.p
    columns = (maps.statistic, maps.p, p_permutation, each.p_corrected, maps.estimate, maps.se, maps.effect)
    cells = [[None] * len(names) if values is None else _plain(values) for values in columns]
    return tuple(zip(names, *cells, strict=True))


def _plain(values: NDArray[np.float64]) -> list[float]:
    return np.asarray(values, np.float64).tolist()


def legend_of(fitted: Fitted, inference: Inference, tested: Tested) -> str:
    """Everything that decides on the p-values of a test, in one line."""
    parts = [f"{tested.name}: {statistic_of(tested)}"]
    parts.append("one-sided (positive)" if inference.one_sided and not tested.is_f else "two-sided")
    if tested.is_f:
        parts[-1] = "F has no sides"
    n = fitted.n_elements
    neighbours = f"{inference.connectivity} neighbours"
    if fitted.data is not None and fitted.data.place.unit == "vertex":
        neighbours = "neighbours along edges"
    correction = {
        "none": f"not corrected for {n} elements",
        "fdr": f"false discovery rate over {n} (Benjamini and Hochberg)",
        "fwe": f"family-wise over {n} by the largest statistic",
        "tfce": f"family-wise by TFCE, H {inference.tfce_h:g}, E {inference.tfce_e:g}, {neighbours}",
        "cluster-extent": f"family-wise by cluster extent at p < {inference.cluster_p:g}, {neighbours}",
        "cluster-mass": f"family-wise by cluster mass at p < {inference.cluster_p:g}, {neighbours}",
    }[inference.correction]
    parts.append(correction if n > 1 else "one outcome, nothing to correct for")
    if fitted.model.region is not None:
        parts.append(f"within {fitted.model.region} ({fitted.model.atlas or 'any atlas'})")
    if fitted.model.mask is not None:
        parts.append(f"within {Path(fitted.model.mask).name}")
    if inference.permutations:
        parts.append(f"{_exchange(fitted, tested)}, seed {inference.seed}")
    if fitted.simulated:
        parts.append("simulated data")
    return "; ".join(parts) + "."


def _exchange(fitted: Fitted, tested: Tested) -> str:
    model = fitted.model
    blocks = ""
    if tested.part.blocks is not None:
        blocks = (
            f" of whole blocks of {model.exchange}" if model.exchange_mode == "whole" else f" within {model.exchange}"
        )
    return f"permutations (Freedman and Lane, or signs for means){blocks}"


def notes_of(fitted: Fitted, inference: Inference) -> tuple[str, int]:
    """The model in words and as a formula, what it can find, and every finding; and how many these are."""
    found = dict.fromkeys((*fitted.findings, *findings_of(fitted, inference), *traps_of(fitted)))
    lines = [f"Formula: {fitted.model.formula}", words_of(fitted.model, fitted.laid)]
    lines += [finding.message for finding in found]
    lines += [line.message for line in power_lines(fitted, inference)]
    return "\n".join(lines), len(found)
