"""The design of a question, and what it could have found."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ...stats.errors import CannotCompute
from ...stats.power import Sensitivity
from ..model_traps import CORRECTED_LEVEL, STRICT
from ..problems import Problem
from .answers import Answered, Plan

BOTH_LEVELS = [(STRICT, "a voxel"), (CORRECTED_LEVEL, "one region")]


def design_of(plan: Plan) -> tuple[NDArray[np.float64], tuple[str, ...]] | None:
    """Design matrix of the first model and its columns' names; None for questions without a model of this kind."""
    from ..io.study_table import read_table  # noqa: PLC0415
    from ..model_parts import lay_out  # noqa: PLC0415
    from .prepared import concrete  # noqa: PLC0415

    if not plan.models:
        return None
    try:
        model = concrete(plan.models[0])
        part = lay_out(model, read_table(model.table)).parts[0]
    except Problem:
        return None  # the picture is left out; whatever is wrong was told by the answer
    return np.asarray(part.design.matrix, np.float64), tuple(part.design.names)


def power_lines(answered: Answered) -> tuple[str, ...]:
    """What such a study can find: what the answer says of its tests, and at p < .05 for one region."""
    told = answered.details.get("power")
    lines = [str(line) for line in told] if isinstance(told, list | tuple) else []
    df = next((row.df for row in answered.regions if math.isfinite(row.df)), math.nan)
    two_sided = not answered.plan.ask.inference.one_sided
    alphas = [(CORRECTED_LEVEL, "one region")] if lines or not answered.maps else BOTH_LEVELS
    if answered.plan.ask.kind == "crossover":  # its rows are terms, with degrees of freedom of chi-squared
        exact = answered.details.get("spectra", {}).get("companion")
        df, alphas = (math.nan if exact is None else exact["treatment"]["df"]), [(CORRECTED_LEVEL, "the exact test")]
    for alpha, where in alphas:
        try:
            found = Sensitivity("r", (1.0, df), df + 2, alpha, two_sided)
            lines.append(
                f"With {df:g} residual degrees of freedom {where} at {'two' if two_sided else 'one'}-sided "
                f"p < {alpha:g} needs a partial |r| of {found.significant:.2f}; a true one of {found.detectable():.2f} "
                "is found in 80 % of such studies."
            )
        except CannotCompute:
            continue
    return tuple(lines) or ("The degrees of freedom are not known, so nothing can be said of the study's power.",)
