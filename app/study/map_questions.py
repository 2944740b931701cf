"""Answers of questions on maps: the model fitted and tested, its clusters, the named regions, and words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import structs

from ..model_corrected import Inferred, clusters_of, inferred, neighbours_of
from ..model_fit import Fitted, Tested, fit_model
from ..model_inference import check_inference, inferring
from ..model_maps import test_named
from ..model_places import VolumePlace
from ..model_traps import power_lines, traps_of
from ..model_written import all_maps, findings_of
from ..models import Inference, Model
from ..problems import Finding, Problem, silent
from .answers import Answered, Plan
from .counted import counted
from .prepared import PreparedRows, concrete, prepare
from .recounted import recounted
from .region_rows import RegionTests, region_tests, ring_findings
from .result_words import result_words
from .traps_study import resolution_mm

if TYPE_CHECKING:
    from ..atlas import Atlas

Report = Callable[[float], None]
MAPS = {"estimate": "effect", "t": "t", "F": "F", "partial-r": "partial-r", "d": "d"}
ATLAS = "aal2"


@dataclass(frozen=True, eq=False)
class Fit:
    """A plan's model on its way to an answer.

    Attributes
    ----------
    fitted : Fitted
    tested : Tested
        What the question is about.
    found : Inferred
    prepared : PreparedRows
    clusters : tuple of dict
    """

    fitted: Fitted
    tested: Tested
    found: Inferred
    prepared: PreparedRows
    clusters: tuple[Mapping[str, Any], ...]

    @property
    def place(self) -> VolumePlace:
        """Where the maps lie."""
        data = self.fitted.data
        if data is None or not isinstance(data.place, VolumePlace):
            raise Problem(self.fitted.model.formula, "has no voxels", "ask about maps")
        return data.place

    def volume(self, values: Any) -> tuple[Any, Any]:
        """Values of the model's voxels as a map: (array, Grid)."""
        return self.place.volume(values), self.place.grid


def answer(plan: Plan, report: Report = silent) -> Answered:
    """Answer a question on maps.

    Parameters
    ----------
    plan : Plan
    report : callable
        Progress; may raise to cancel.

    Raises
    ------
    Problem
        As `prepare` and `fit_model`.
    """
    made = fit_of(plan.models[0], plan.test, plan.ask.inference, lambda done: report(0.9 * done))
    plan = recounted(plan, made.fitted)
    regions = regions_of(plan, plan.models[0], made, lambda done: report(0.9 + 0.1 * done))
    fwhm = fwhm_of(plan)
    findings = (
        *findings_about(plan, [made]),
        *regions.findings,
        *ring_findings(made.fitted, made.tested, regions.rows, fwhm),
        *arms_compared(made, regions),
    )
    return Answered(
        plan=plan,
        simulated=simulated(plan, [made]),
        regions=regions.rows,
        clusters=made.clusters,
        maps=maps_of_test(made),
        details=details_of(plan, made, regions),
        words=result_words(plan, made, regions),
        findings=once(findings),
        inputs=made.prepared.inputs,
    )


def fit_of(model: Model, test: str, inference: Inference, report: Report = silent) -> Fit:
    """Prepare, fit and test a model; permutations are counted once and kept."""
    check_inference(inference)
    if model.study is None:
        raise Problem(model.formula, "is of no study", "plan the question of a study")
    share = 0.4 if inference.permutations else 0.9
    prepared = prepare(model.study, lambda done: report(0.8 * share * done))
    fitted = fit_model(
        concrete(model),
        one_sided=inference.one_sided,
        report=lambda done: report(share * (0.8 + 0.2 * done)),
    )
    tested = test_named(fitted, test)
    neighbours = neighbours_of(fitted, inference)
    found = Inferred(tested, inference)
    if inference.permutations:
        ready = inferring(fitted, tested, inference, neighbours)
        counts = counted(ready, inference, lambda done: report(share + (1 - share) * done))
        found = inferred(ready, counts, inference, neighbours)
    rows = clusters_of(fitted, found, inference, neighbours, atlas_of(fitted))
    clusters = tuple(row._asdict() | {"regions": [each._asdict() for each in row.regions]} for row in rows)
    report(1.0)
    return Fit(fitted, tested, found, prepared, clusters)


def regions_of(plan: Plan, model: Model, made: Fit, report: Report = silent) -> RegionTests:
    """The named regions, of the whole maps even where the search is confined to one region."""
    fitted, tested = made.fitted, made.tested
    if model.region is not None:
        fitted = fit_model(concrete(structs.replace(model, region=None)))
        tested = test_named(fitted, tested.name)
    return region_tests(fitted, tested, plan.ask.inference, fwhm_of(plan), report)


def fwhm_of(plan: Plan) -> float:
    """Resolution of a plan's maps in mm."""
    return resolution_mm(plan.ask.measure or "map", plan.ask.choices)


def maps_of_test(made: Fit) -> dict[str, Any]:
    """Maps by name: effect, t, p and what was corrected, those of p as -log10 p."""
    return {
        MAPS.get(name, name): made.volume(values)
        for name, (values, _) in all_maps(made.found).items()
        if name in MAPS or name.startswith(("neglog10", "tfce", "clusters"))
    }


def details_of(plan: Plan, made: Fit, regions: RegionTests) -> dict[str, Any]:
    """What a report says beside the table: sizes, permutations, power."""
    return {
        "test": made.tested.name,
        "voxels": made.fitted.n_elements,
        "residual_df": made.tested.maps.df[1],
        "strongest": strongest(made),
        "permutations": 0 if made.found.result is None else made.found.result.n_done + 1,
        "permutations_regions": regions.permutations,
        "seed": plan.ask.inference.seed,
        "fwhm_mm": fwhm_of(plan),
        "power": [
            line.message for line in power_lines(made.fitted, plan.ask.inference) if line.test == made.tested.name
        ],
    }


def strongest(made: Fit) -> dict[str, Any]:
    """The strongest voxel."""
    import numpy as np  # noqa: PLC0415

    values = made.tested.maps.statistic
    if not np.isfinite(values).any():
        return {}
    at = int(np.nanargmax(values if made.fitted.one_sided and not made.tested.is_f else np.abs(values)))
    return {
        "at_mm": made.place.where(at).at_mm,
        "statistic": float(values[at]),
        "p": float(made.tested.maps.p[at]),
        "p_corrected": None if made.found.p_corrected is None else float(made.found.p_corrected[at]),
    }


def findings_about(plan: Plan, made: Sequence[Fit]) -> tuple[Finding, ...]:
    """What to know of a plan, its data and its numbers."""
    found = list(plan.findings)
    no_field_of_view = plan.ask.measure != "map" or plan.ask.kind == "change"  # a 0 is a value, what is outside is NaN
    for each in made:
        found += each.prepared.findings
        found += [finding for finding in each.fitted.findings if finding.code != "zero-in-some" or not no_field_of_view]
        found += findings_of(each.fitted, plan.ask.inference)
        found += [finding for finding in traps_of(each.fitted) if finding.code != "mean-at-zero"]
    return tuple(found)


def once(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Each finding once; who is left out with the first reason only, a trap of one code and place once."""
    kept: dict[tuple[str, str], Finding] = {}
    left_out = {"subject-left-out", "row-left-out"}
    for finding in findings:
        code = "left-out" if finding.code in left_out else finding.code
        where = "" if finding.code in {"simulated", "uncorrected"} else finding.where
        kept.setdefault((code, where), finding)
    return tuple(kept.values())


def arms_compared(made: Fit, regions: RegionTests) -> tuple[Finding, ...]:
    """Regions where one arm's slope is significant and the other's is not."""
    from ...stats.glm import fit, test  # noqa: PLC0415 - compiled
    from ...stats.trap_inference import Effect, difference_of_significance  # noqa: PLC0415
    from ...stats.traps import Trap  # noqa: PLC0415
    from .region_set import named_regions  # noqa: PLC0415

    tests = made.fitted.tests
    if len(tests) != 3 or " less " not in tests[0].name or made.fitted.covariates is not None:
        return ()
    values = made.tested.part.observations(regions.means)
    fitted = fit(values, made.tested.part.design.matrix, None, made.tested.part.groups)
    maps = [test(fitted, each.contrast.weights) for each in tests[1:]]
    said: list[Trap] = []
    for n, region in enumerate(named_regions()):
        effects = [
            Effect(f"{region.title} in {each.name}", float(of.estimate[n]), float(of.se[n]), of.df[1])
            for each, of in zip(tests[1:], maps, strict=True)
            if of.estimate is not None and of.se is not None
        ]
        if len(effects) == 2 and all(effect.se > 0 for effect in effects):
            said += difference_of_significance(effects[0], effects[1])
    if not said:
        return ()
    told = " ".join(trap.message.removesuffix(" Report the interaction.") for trap in said[:3])
    more = f" So in {len(said) - 3} more regions." if len(said) > 3 else ""
    message = f"{told}{more} Report the interaction."
    return (Finding("difference-of-significance", ", ".join(trap.where for trap in said), len(said), message),)


def simulated(plan: Plan, made: Sequence[Fit]) -> bool:
    """Whether nobody was scanned for it."""
    return plan.title.lower().startswith("simulated") or any(
        each.prepared.simulated or each.fitted.simulated for each in made
    )


def inputs_of(made: Sequence[Fit]) -> tuple[Path, ...]:
    """Files of the study that models were made of."""
    return tuple(dict.fromkeys(path for each in made for path in each.prepared.inputs))


def atlas_of(fitted: Fitted) -> Atlas | None:
    """The atlas that may name the places of clusters."""
    from .. import templates  # noqa: PLC0415
    from ..compute import open_atlas  # noqa: PLC0415

    place = fitted.data.place if fitted.data else None
    if not isinstance(place, VolumePlace):
        return None
    atlas = open_atlas(fitted.model.atlas or ATLAS)
    return atlas if templates.compatible(place.space, atlas.info.template).names_regions else None
