"""Models from files to files: what the command line and the Python API call."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..stats.perm_counts import Estimate
from ..stats.repeated_measures import RepeatedTest
from . import templates
from .model_corrected import Inferred, clusters_of, infer, neighbours_of
from .model_fit import Fitted, fit_model
from .model_inference import check_inference
from .model_places import VolumePlace
from .model_results import ModelResult, TestRow
from .model_traps import power_lines, traps_of
from .model_written import file_names, findings_of, notes_of, write
from .models import Inference, Model
from .outputs import refuse_place
from .problems import Finding, Problem, silent

if TYPE_CHECKING:
    from .atlas import Atlas

Report = Callable[[float], None]
DEFAULT_ATLAS = "aal2"


def model(
    question: Model,
    inference: Inference | None = None,
    out: str | None = None,
    scheduler: str | None = None,
    report: Report = silent,
) -> ModelResult:
    """Fit a model and test it; maps and tables are written when a folder is named.

    Parameters
    ----------
    question : Model
    inference : Inference, optional
    out : str, optional
        Folder for the maps, made when it is missing.
    scheduler : str, optional
        Address of a dask scheduler whose workers share the permutations.
    report : callable, optional

    Raises
    ------
    Problem
        With the file or option that cannot be used.
    """
    inference = inference or Inference()
    check_inference(inference)
    if scheduler is not None and not inference.permutations:
        raise Problem("--scheduler", "has nothing to spread", "add --permutations 5000, or leave it out")
    folder = None if out is None else _folder(out)
    share = 0.1 if inference.permutations else 1.0
    fitted = fit_model(question, one_sided=inference.one_sided, report=lambda done: report(share * done))
    if folder is not None:
        file_names(fitted.tests)
    neighbours = neighbours_of(fitted, inference)
    atlas, about_atlas = _atlas(fitted)
    tests = infer(fitted, inference, neighbours, scheduler, lambda done: report(share + (1 - share) * done))
    clusters = tuple(row for each in tests for row in clusters_of(fitted, each, inference, neighbours, atlas))
    notes = notes_of(fitted, inference, tests)
    findings = (*fitted.findings, *about_atlas, *findings_of(fitted, inference), *traps_of(fitted))
    written = {} if folder is None else write(fitted, tests, folder, notes, findings)
    first = fitted.laid.parts[0].design
    columns = tuple(dict.fromkeys(name for part in fitted.laid.parts for name in part.design.columns))
    return ModelResult(
        n=len(first.matrix),
        residual_df=len(first.matrix) - len(first.columns),
        columns=columns,
        elements=fitted.n_elements,
        tests=tuple(_row(fitted, each) for each in tests),
        maps=written,
        clusters=clusters,
        findings=findings,
        notes=notes,
        power=power_lines(fitted, inference),
    )


def _folder(out: str) -> Path:
    """The folder of the results; an empty one is made, and nothing else before the work is done."""
    folder = Path(out)
    if folder.exists() and not folder.is_dir():
        raise Problem(folder, "is a file", "name a folder with -o")
    refuse_place(folder / "model.json" if folder.is_dir() else folder, ())
    return folder


def _row(fitted: Fitted, each: Inferred) -> TestRow:
    """A test as a row: its strongest element."""
    tested, maps = each.tested, each.tested.maps
    values = maps.statistic if fitted.one_sided and not tested.is_f else np.abs(maps.statistic)
    at = int(np.nanargmax(values)) if np.isfinite(values).any() else 0
    where = None if fitted.data is None else fitted.data.place.where(at)
    a, b = maps.df
    return TestRow(
        name=tested.name,
        statistic=tested.statistic,
        value=float(maps.statistic[at]),
        df=(a, b if maps.df_map is None else float(maps.df_map[at])),
        p=float(maps.p[at]),
        p_permutation=None if each.result is None else float(each.result.p.p[at]),
        p_fwe=None if each.p_fwe is None else float(each.p_fwe[at]),
        p_corrected=each.smallest_corrected(),
        peak_mm=None if where is None else where.at_mm,
        element=None if where is None else where.name,
        estimate=_at(maps.estimate, at),
        se=_at(maps.se, at),
        ci=None if maps.ci_low is None or maps.ci_high is None else (float(maps.ci_low[at]), float(maps.ci_high[at])),
        partial_r=_at(maps.partial_r, at),
        effect=float(maps.effect[at]),
        effect_name=maps.effect_name,
        permutations=0 if each.result is None else each.result.n_done + 1,
        sphericity=None if tested.sphericity is None else _sphericity(tested.sphericity, at),
        p_permutation_interval=None if each.result is None else _interval(each.result.p, at),
        p_fwe_interval=None if each.result is None or each.across is not None else _interval(each.result.p_fwe, at),
    )


def _interval(found: Estimate, at: int) -> tuple[float, float]:
    return float(found.low[at]), float(found.high[at])


def _sphericity(found: RepeatedTest, at: int) -> dict[str, float]:
    names = ("mauchly_w", "mauchly_p", "epsilon_gg", "epsilon_hf", "p", "p_gg", "p_hf")
    return {name: float(getattr(found, name)[at]) for name in names}


def _at(values: NDArray[np.float64] | None, at: int) -> float | None:
    return None if values is None else float(values[at])


def _atlas(fitted: Fitted) -> tuple[Atlas | None, tuple[Finding, ...]]:
    """The atlas that may name the places of a volume's clusters."""
    from .compute import open_atlas  # noqa: PLC0415
    from .io.atlases import describe  # noqa: PLC0415

    place = None if fitted.data is None else fitted.data.place
    if not isinstance(place, VolumePlace):
        return None, ()
    info = describe(fitted.model.atlas or DEFAULT_ATLAS)
    fit = templates.compatible(place.space, info.template)
    if not fit.names_regions:
        return None, (
            Finding("regions-unnamed", fitted.model.source, None, fit.message[:1].upper() + fit.message[1:] + "."),
        )
    return open_atlas(info.id), ()
