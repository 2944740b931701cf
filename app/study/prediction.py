"""Improvement from the first scan: a map of slopes, and how well people are predicted who were not learned from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from ...stats.errors import CannotCompute
from ..model_corrected import Inferred, clusters_of, inferred, neighbours_of
from ..model_fit import Fitted, Tested
from ..model_inference import inferring
from ..model_maps import test_named
from ..model_parts import Part, about
from ..models import Inference
from ..problems import Finding, silent
from .answers import Answered, Plan
from .counted import counted
from .map_questions import (
    Fit,
    atlas_of,
    details_of,
    findings_about,
    fit_of,
    fwhm_of,
    maps_of_test,
    once,
    simulated,
)
from .people import ARMS, column_like
from .plan_maps import FIRST
from .recounted import recounted
from .region_rows import region_tests
from .region_set import means_of, named_regions, on_grid
from .result_words import caution, region_words, simulated_words, voxel_words

if TYPE_CHECKING:
    from ...stats.predict import Predicted, PredictionP

Report = Callable[[float], None]
Float64 = NDArray[np.float64]
BY_ARM = "first_by_arm"  # voxelwise covariate: the first scan in the active arm, 0 in the other
REPEATS = 10  # of the outer folds
PERMUTATIONS = 200  # of the whole cross-validation, where fewer are asked for
MOST_PERMUTATIONS = 1000
ENOUGH_TO_PREDICT = 100
COVERED = 0.5  # of a region, to be a feature


class CrossValidated(NamedTuple):
    """Out of sample.

    Attributes
    ----------
    found : Predicted
    p : PredictionP
    permutations : int
    features : int
    """

    found: Predicted
    p: PredictionP
    permutations: int
    features: int


def answer(plan: Plan, report: Report = silent) -> Answered:
    """Answer the question of a prediction.

    Raises
    ------
    Problem
        As `map_questions.answer`.
    """
    by_arm = plan.ask.arm == "interaction"
    inference = plan.ask.inference
    plain = structs.replace(inference, permutations=0, correction="none")
    made = fit_of(plan.models[0], plan.test, plain if by_arm else inference, lambda done: report(0.5 * done))
    plan = recounted(plan, made.fitted)
    direct = everywhere = _direct(plan, made, by_arm=by_arm)
    scans = made.fitted
    if plan.models[0].region is not None:
        whole = fit_of(structs.replace(plan.models[0], region=None), plan.test, plain)
        everywhere, scans = _direct(plan, whole, by_arm=by_arm), whole.fitted
    if by_arm:
        made = _tested(made, direct, inference, lambda done: report(0.5 + 0.2 * done))
    regions = region_tests(everywhere, everywhere.tests[0], inference, fwhm_of(plan), lambda d: report(0.7 + 0.1 * d))
    validated = _cross_validated(plan, scans, everywhere, lambda done: report(0.8 + 0.2 * done))
    details: dict[str, Any] = {**details_of(plan, made, regions), **_numbers(validated)}
    words = (
        *simulated_words(plan),
        plan.words,
        *_words(validated, len(everywhere.values)),
        *voxel_words(made.found, made.clusters),
        *region_words(plan, regions.rows, regions.maps.df[1], regions.permutations),
        *caution(plan),
    )
    maps = maps_of_test(made)
    asked = direct.tests[0].maps
    maps |= {"effect": made.volume(asked.estimate), "t": made.volume(asked.statistic)}
    return Answered(
        plan=plan,
        simulated=simulated(plan, [made]),
        regions=regions.rows,
        clusters=made.clusters,
        maps=maps,
        details=details,
        words=words,
        tables={} if isinstance(validated, str) else {"prediction": _people(everywhere, validated)},
        findings=once((*findings_about(plan, [made]), *regions.findings, *_few(plan, validated, len(scans.values)))),
        inputs=made.prepared.inputs,
    )


def _direct(plan: Plan, made: Fit, *, by_arm: bool) -> Fitted:
    """The model as it is asked: improvement on the scan of each voxel, and on the scan by arm."""
    from ...stats.contrasts import contrast  # noqa: PLC0415
    from ...stats.design import linear_design  # noqa: PLC0415 - formulaic is slow to import

    fitted = made.fitted
    frame = fitted.laid.table.frame.iloc[fitted.laid.rows].reset_index(drop=True)
    column = f"{plan.ask.score}_improvement"
    right = plan.formula.partition("~")[2].replace("*", "+").split("+")
    terms = [term.strip() for term in right if term.strip().strip("`") != column]
    names = (FIRST, BY_ARM) if by_arm else (FIRST,)
    with about(fitted.laid.table.path):
        design = linear_design(frame, "~ " + " + ".join(terms or ["1"]), voxelwise=names)
        asked = contrast(f"{plan.test}={names[-1]}", design)
    scans = np.asarray(fitted.values, np.float32)
    stack = [scans]
    if by_arm:
        arm = column_like(frame, ARMS)
        active = (frame[arm].astype(str) == plan.test.partition(" less ")[0]).to_numpy(np.float32)
        stack.append(scans * active[:, None])
    outcome = frame[column].to_numpy(np.float32)[:, None]
    values = np.ascontiguousarray(np.broadcast_to(outcome, scans.shape))
    part = Part(design, (asked,))
    laid = replace(fitted.laid, parts=(part,))
    turned = replace(fitted, laid=laid, values=values, covariates=np.stack(stack), tests=())
    return replace(turned, tests=(_test(turned, part),))


def _test(fitted: Fitted, part: Part) -> Tested:
    from ...stats.glm import fit, test  # noqa: PLC0415 - compiled

    with about(fitted.laid.table.path):
        made = fit(fitted.values, part.design.matrix, fitted.covariates, None)
        maps = test(made, part.contrasts[0].weights, one_sided=fitted.one_sided)
    return Tested(part.contrasts[0], part, maps, is_f=False, searched=maps.statistic.astype(np.float32))


def _tested(made: Fit, direct: Fitted, inference: Inference, report: Report) -> Fit:
    """The interaction tested by its own model: turned round it would be another question."""
    tested = test_named(direct, direct.tests[0].name)
    neighbours = neighbours_of(direct, inference)
    found = Inferred(tested, inference)
    if inference.permutations:
        ready = inferring(direct, tested, inference, neighbours)
        found = inferred(ready, counted(ready, inference, report), inference, neighbours)
    rows = clusters_of(direct, found, inference, neighbours, atlas_of(direct))
    clusters = tuple(row._asdict() | {"regions": [each._asdict() for each in row.regions]} for row in rows)
    return replace(made, fitted=direct, tested=tested, found=found, clusters=clusters)


def _cross_validated(plan: Plan, fitted: Fitted, direct: Fitted, report: Report) -> CrossValidated | str:
    """Ridge regression on means of regions, nested; or why there is none."""
    from ...stats.predict import cross_validated, prediction_null, prediction_p  # noqa: PLC0415
    from ...stats.predict_data import PredictionData  # noqa: PLC0415
    from ...stats.predict_folds import Nested  # noqa: PLC0415

    features = _features(fitted)
    matrix = direct.tests[0].part.design.matrix
    others = matrix[:, np.ptp(matrix, axis=0) > 0]
    data = PredictionData(features, direct.values[:, 0].astype(np.float64), others if others.shape[1] else None)
    nested = Nested(repeats=REPEATS, seed=plan.ask.inference.seed)
    n = min(max(plan.ask.inference.permutations, PERMUTATIONS), MOST_PERMUTATIONS)
    try:
        found = cross_validated(data, nested, lambda done: report(0.2 * done))
        null = prediction_null(data, nested, range(1, n + 1), None, lambda done: report(0.2 + 0.8 * done))
    except CannotCompute as refused:
        return f"{refused.what}; {refused.todo}"
    return CrossValidated(found, prediction_p(found, null), n + 1, features.shape[1])


def _features(fitted: Fitted) -> NDArray[np.float32]:
    """Means of all regions of AAL2 and of the small nuclei of the named set, (n, R)."""
    from ..compute import open_atlas  # noqa: PLC0415
    from ..model_places import VolumePlace  # noqa: PLC0415

    place = fitted.data.place if fitted.data else None
    if not isinstance(place, VolumePlace):
        raise TypeError("regions are read from volumes")
    atlas = open_atlas("aal2")
    labels = atlas.labels_on(place.grid).reshape(-1, order="F")[place.voxels]
    sizes = np.bincount(labels, minlength=len(atlas.regions) + 1)[1:]
    columns = [fitted.values[:, labels == k + 1].mean(axis=1) for k in np.flatnonzero(sizes)]
    nuclei = [region for region in named_regions() if region.atlas == "cit168"]
    small = means_of(on_grid(nuclei, place.grid), fitted.values, place.voxels)
    made = np.column_stack([*columns, small.means[:, small.covered > COVERED]])
    return made.astype(np.float32)


def _numbers(validated: CrossValidated | str) -> dict[str, Any]:
    if isinstance(validated, str):
        return {"r": None, "mae": None, "p": None, "prediction": validated}
    found = validated.found
    return {
        "r": found.r,
        "r_ci": [found.r_low, found.r_high],
        "mae": found.mae,
        "r2": found.r2,
        "p": validated.p.r,
        "p_mae": validated.p.mae,
        "permutations_prediction": validated.permutations,
        "prediction": (
            f"ridge regression on the means of {validated.features} regions, nested cross-validation "
            f"(5 folds, 5 inner, {REPEATS} repeats), covariates taken out within the folds"
        ),
    }


def _words(validated: CrossValidated | str, n: int) -> tuple[str, ...]:
    if isinstance(validated, str):
        return (f"No cross-validated prediction: {validated}.",)
    found = validated.found
    verdict = "better than" if validated.p.r < 0.05 else "not better than"
    said = (
        f"Out of sample: r = {found.r:.2f} [{found.r_low:.2f}, {found.r_high:.2f}], mean absolute error "
        f"{found.mae:.1f} points, r2 = {found.r2:.2f}; {verdict} chance (p = {validated.p.r:.3g}, the whole procedure "
        f"permuted {validated.permutations - 1} times). Ridge regression on {validated.features} regions, nested "
        "cross-validation."
    )
    few = f"{n} people are few to predict from: below 100 such numbers vary much."
    return (said, few) if n < ENOUGH_TO_PREDICT else (said,)


def _few(plan: Plan, validated: CrossValidated | str, n: int) -> tuple[Finding, ...]:
    from ...stats.trap_inference import few_to_predict  # noqa: PLC0415

    if isinstance(validated, str) or n < 4:
        return ()
    return tuple(Finding(*trap) for trap in few_to_predict(plan.ask.score, n, validated.found.r))


def _people(direct: Fitted, validated: CrossValidated) -> Any:
    """Observed and predicted improvement by person, means over repeats."""
    import pandas as pd  # noqa: PLC0415

    from .values import PERSON  # noqa: PLC0415

    frame = direct.laid.table.frame.iloc[direct.laid.rows]
    found = validated.found
    return pd.DataFrame(
        {
            PERSON: frame[PERSON].astype(str).to_numpy(),
            "observed": found.observed.mean(axis=0),
            "predicted": found.predicted.mean(axis=0),
        }
    )
