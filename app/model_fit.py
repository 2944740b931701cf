"""A model fitted: its data, its parametric tests and their maps."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..stats import formulas
from ..stats.contrasts import Contrast
from ..stats.glm import Fit, TestMaps, fit, test
from ..stats.repeated_measures import RepeatedTest, repeated_test
from ..stats.within import RepeatedDesign
from .io.study_table import StudyTable, column_of, read_table
from .model_data import ModelData, read_covariate, read_data
from .model_parts import Laid, Part, about, lay_out
from .models import TABLE, Model
from .problems import Finding, Problem, silent

Report = Callable[[float], None]
READ = 0.7  # share of the work that reading is
PREPARED = 0.5  # share of a study's question that its preparation is
SMALLEST_P = 1e-300  # what -log10 p shows at most


@dataclass(frozen=True, eq=False)
class Tested:
    """One contrast of one part.

    Attributes
    ----------
    contrast : Contrast
    part : Part
    maps : TestMaps
        Over all elements.
    is_f : bool
        Whether the statistic is F.
    searched : (V,) float32
        What clusters and TFCE are made of: signed t where the contrast has one row, also where F is shown.
    sphericity : RepeatedTest or None
        Where more than two levels of repeated measures are compared; such tests are not permuted.
    """

    contrast: Contrast
    part: Part
    maps: TestMaps
    is_f: bool
    searched: NDArray[np.float32]
    sphericity: RepeatedTest | None = None

    @property
    def name(self) -> str:
        """Of the contrast."""
        return self.contrast.name

    @property
    def signed(self) -> bool:
        """Whether what is searched has a sign."""
        return len(self.contrast.weights) == 1 and self.sphericity is None

    @property
    def statistic(self) -> str:
        """``t`` or ``F``."""
        return "F" if self.is_f else "t"


@dataclass(frozen=True, eq=False)
class Fitted:
    """A model's answer before any permutation.

    Attributes
    ----------
    model : Model
    laid : Laid
    data : ModelData or None
        None for a column of the table.
    values : (rows, V) float32 or float64
    covariates : (m, rows, V) or None
    tests : tuple of Tested
    findings : tuple of Finding
    inputs : tuple of Path
    simulated : bool
    one_sided : bool
    """

    model: Model
    laid: Laid
    data: ModelData | None
    values: NDArray[Any]
    covariates: NDArray[Any] | None
    tests: tuple[Tested, ...]
    findings: tuple[Finding, ...]
    inputs: tuple[Path, ...]
    simulated: bool
    one_sided: bool = False

    @property
    def n_elements(self) -> int:
        """Voxels, vertices, regions, or 1."""
        return self.values.shape[1]

    def observations(self, part: Part) -> tuple[NDArray[Any], NDArray[Any] | None]:
        """Data (n, V) and voxelwise covariates (m, n, V) of a part."""
        covariates = self.covariates
        if covariates is not None:
            covariates = np.stack([part.observations(each) for each in covariates])
        return part.observations(self.values), covariates


def fit_model(model: Model, *, one_sided: bool = False, report: Report = silent) -> Fitted:
    """Read a model's data, fit it and test its contrasts; a study's question is fitted on its prepared files.

    Raises
    ------
    Problem
        With the file or option that cannot be used.
    """
    if model.study is None:
        return _fitted(model, one_sided=one_sided, report=report)
    from .study.named_source import named, renamed  # noqa: PLC0415 - only for studies
    from .study.prepared import on_files, prepare  # noqa: PLC0415

    rows = prepare(model.study, lambda done: report(PREPARED * done))
    with named(model.source):
        fitted = _fitted(on_files(model, rows), one_sided=one_sided, report=_within(report, PREPARED, 1))
    return replace(
        fitted,
        model=model,
        findings=(*rows.findings, *renamed(fitted.findings, model.source)),
        inputs=rows.originals(fitted.inputs),
        simulated=rows.simulated or fitted.simulated,
    )


def _fitted(model: Model, *, one_sided: bool, report: Report) -> Fitted:
    """A model on files."""
    table = read_table(model.table)
    laid = lay_out(model, table)
    findings = laid.findings
    inputs: tuple[Path, ...] = (table.path,)
    data, covariates = None, None
    shares = READ * np.arange(1, len(model.voxelwise) + 2) / (len(model.voxelwise) + 1)
    if model.data == TABLE:
        _refuse_places(model)
        values = _outcome(model, laid, table)
    else:
        data = read_data(model, table, laid.rows.tolist(), lambda done: report(shares[0] * done))
        values, findings, inputs = data.values, (*findings, *data.findings), (*inputs, *data.inputs)
    if model.voxelwise:
        if data is None:
            raise Problem("--voxelwise", "needs images as data", "give DATA as a 4D file or column:COL")
        read: list[ModelData] = []
        for number, (_, column) in enumerate(model.voxelwise):
            told = _within(report, shares[number], shares[number + 1])
            read.append(read_covariate(column, table, laid.rows.tolist(), data, told))
        covariates = np.stack([each.values for each in read])
        inputs = (*inputs, *(path for each in read for path in each.inputs))
    fitted = Fitted(
        model,
        laid,
        data,
        values,
        covariates,
        (),
        findings,
        tuple(dict.fromkeys(inputs)),
        _simulated(table, data),
        one_sided,
    )
    tests: list[Tested] = []
    shares = np.linspace(READ, 1, len(laid.parts) + 1)
    for number, part in enumerate(laid.parts):
        told = _within(report, shares[number], shares[number + 1])
        tests += _tests(fitted, part, one_sided=one_sided, report=told)
    return replace(fitted, tests=tuple(tests))


def _within(report: Report, start: float, stop: float) -> Report:
    """Progress of a part of the work, told as progress of the whole."""
    return lambda done: report(start + (stop - start) * done)


def _repeated(values: NDArray[Any], part: Part, design: RepeatedDesign) -> list[Tested]:
    """Tests over more than two levels: F with the p of Greenhouse and Geisser, sphericity beside it."""
    made: list[Tested] = []
    for asked in part.contrasts:
        found = repeated_test(values, design, asked.weights)
        effect = found.statistic * found.df[0] / found.df[1]
        maps = TestMaps(
            estimate=None,
            se=None,
            statistic=found.statistic,
            df=found.df,
            p=found.p_gg,
            partial_r=None,
            effect=effect,
            ci_low=None,
            ci_high=None,
            effect_name="f2",
        )
        made.append(Tested(asked, part, maps, is_f=True, searched=found.statistic.astype(np.float32), sphericity=found))
    return made


def _tests(fitted: Fitted, part: Part, *, one_sided: bool, report: Report) -> list[Tested]:
    values, covariates = fitted.observations(part)
    if part.repeated is not None:
        return _repeated(values, part, part.repeated)
    with about(fitted.model.source if fitted.data is not None else fitted.model.table):
        made = fit(values, part.design.matrix, covariates, part.groups, report)
        if fitted.data is None and not np.isfinite(made.rss).all():
            raise Problem(fitted.laid.table.path, "the outcome is constant or fitted without residual", "check it")
        return [_tested(made, part, each, as_f=fitted.model.terms, one_sided=one_sided) for each in part.contrasts]


def _tested(made: Fit, part: Part, asked: Contrast, *, as_f: bool, one_sided: bool) -> Tested:
    is_f = as_f or len(asked.weights) > 1
    maps = test(made, asked.weights, one_sided=one_sided and not is_f)
    searched = maps.statistic.astype(np.float32)
    if is_f and maps.estimate is not None:  # F of one degree of freedom, for tables of terms
        maps = maps._replace(
            estimate=None, se=None, statistic=maps.statistic**2, partial_r=None, ci_low=None, ci_high=None
        )
        df = maps.df[1] if maps.df_map is None else maps.df_map
        maps = maps._replace(effect=maps.statistic / df, effect_name="f2")
    return Tested(asked, part, maps, is_f, searched)


def _refuse_places(model: Model) -> None:
    for option, value in (("mask", model.mask), ("region", model.region), ("surface", model.surface)):
        if value is not None:
            raise Problem(f"--{option}", "needs images as data", "give DATA as a 4D file or column:COL")


def _outcome(model: Model, laid: Laid, table: StudyTable) -> NDArray[np.float64]:
    outcome = laid.outcome
    if outcome is None:
        with about(table.path):
            left = formulas.parse(model.formula).response
        for name in left.variables if left else ():
            column_of(table, name)
        todo = "write it on the left of the formula, such as 'madrs ~ group', or name images as DATA"
        raise Problem(table.path, f"the formula '{model.formula}' names no outcome of numbers", todo)
    return np.asarray(outcome, np.float64)[:, None]


def _simulated(table: StudyTable, data: ModelData | None) -> bool:
    from .compute import is_simulated  # noqa: PLC0415
    from .io.sidecar import read_sidecar  # noqa: PLC0415

    return is_simulated(str(table.path), read_sidecar(table.path)) or (data is not None and data.simulated)


def minus_log10(p: NDArray[Any]) -> NDArray[np.float32]:
    """-log10 of p-values, NaN where there is none."""
    with np.errstate(divide="ignore"):
        return (-np.log10(np.maximum(p, SMALLEST_P))).astype(np.float32)


def maps_of(tested: Tested) -> Mapping[str, tuple[NDArray[Any], str]]:
    """Maps of a test that need no permutation, with their units."""
    found = tested.maps
    made: dict[str, tuple[NDArray[Any] | None, str]] = {
        "estimate": (found.estimate, "units of the data"),
        "se": (found.se, "units of the data"),
        tested.statistic: (found.statistic, _statistic(tested)),
        "partial-r": (found.partial_r, "partial r"),
        found.effect_name: (found.effect, {"d": "Cohen's d", "f2": "Cohen's f2"}[found.effect_name]),
        "ci-low": (found.ci_low, "units of the data"),
        "ci-high": (found.ci_high, "units of the data"),
        "df": (found.df_map, "degrees of freedom"),
        "epsilon": (None if tested.sphericity is None else tested.sphericity.epsilon_gg, "Greenhouse-Geisser epsilon"),
        "neglog10-p": (minus_log10(found.p), "-log10 p, uncorrected"),
    }
    return {name: (values, unit) for name, (values, unit) in made.items() if values is not None}


def _statistic(tested: Tested) -> str:
    a, b = tested.maps.df
    return f"t({b:g})" if tested.statistic == "t" else f"F({a:g},{b:g})"


def file_name(text: str) -> str:
    """A test's name as part of a file's."""
    return re.sub(r"[^\w.+]+", "-", text.replace(":", "x")).strip("-.") or "test"
