"""Studies: `read_study`, `plan`, `ask` and `make_demo`."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from ._arguments import Band, Path_, listed, name_of

if TYPE_CHECKING:
    from .app.evidence import Card
    from .app.simulated.demo import Demo
    from .app.study.answers import Plan
    from .app.study.asked import Asked
    from .app.study.values import Study
    from .app.study.wanted import Wanted

Measure = Literal["pet", "degree", "clustering", "map", "regions"]
Correction = Literal["none", "fdr", "fwe", "cluster-extent", "cluster-mass", "tfce"]


def read_study(folder: Path_) -> Study:
    """Read a study: a BIDS folder, or a table with columns of files.

    Parameters
    ----------
    folder : path
        Nothing is ever written there.

    Returns
    -------
    Study
        ``participants``, ``sessions`` and ``scores`` (tables), ``scans``, ``findings``: what is missing, doubled or
        contradictory.
    """
    from .app.study.reading import read_study as read  # noqa: PLC0415 - importing habena stays quick

    return read(os.fspath(folder))


def plan(folder: Path_, question: str, **options: Any) -> Plan:
    """Make a question exact without computing anything: its model in words and as a formula, n, traps.

    Parameters
    ----------
    folder, question
        As in `ask`.
    **options
        Keywords of `ask`, but for ``out``.

    Returns
    -------
    Plan
        ``words``, ``formula``, ``models``, ``effect_name``, ``unit``, ``n``, ``findings``.
    """
    from .app.study.asked import planned  # noqa: PLC0415

    return planned(os.fspath(folder), question, _wanted(options))


def ask(  # noqa: PLR0913 - the options of the command
    folder: Path_,
    question: str,
    *,
    score: str | None = None,
    covariates: str | Sequence[str] | None = None,
    arm: str = "pooled",
    percent: bool = False,
    baseline: bool = False,
    variance: Literal["pooled", "by-group"] = "pooled",
    sessions: str | Sequence[str] = (),
    measure: Measure | None = None,
    contrasts: str | Sequence[str] = (),
    metrics: str | Sequence[str] = (),
    voxelwise: Mapping[str, str] | None = None,
    thresholds: tuple[float, float] | None = None,
    exclude: str | Sequence[str] = (),
    region: str | None = None,
    density: float | Sequence[float] = (),
    r: float | None = None,
    edges: Literal["positive", "absolute", "signed"] | None = None,
    weighted: bool = False,
    atlas: str | None = None,
    reference: Path_ | None = None,
    window: tuple[float, float] | None = None,
    fwhm: float | None = None,
    scaling: Literal["none", "global mean"] | None = None,
    mask: Path_ | None = None,
    grid: Path_ | None = None,
    strategy: str | None = None,
    run_fwhm: float | None = None,
    drop: int | None = None,
    detrend: int | None = None,
    band: Band | None = None,
    columns: str | Sequence[str] = (),
    censor: float | None = None,
    brain: Path_ | None = None,
    permutations: int = 0,
    seed: int = 1,
    correction: Correction = "none",
    cluster_threshold: float = 0.001,
    connectivity: Literal[6, 18, 26] = 6,
    tfce_h: float = 2.0,
    tfce_e: float = 0.5,
    one_sided: bool = False,
    quality: Mapping[str, float | None] | None = None,
    multiverse: bool = False,
    sensitivity: bool = False,
    names: bool = False,
    kept: bool = False,
    out: Path_ | None = None,
) -> Asked:
    """Ask a study a question in its own words.

    Improvement is the first score less the last: larger is better.

    Parameters
    ----------
    folder : path
        The study.
    question : str
        ``severity`` (the first scan and how ill a patient is), ``group`` (patients and healthy people), ``change``
        (second scan less first, and improvement), ``overlap`` (where group and change meet), ``prediction``
        (improvement from the first scan), ``graph`` (network metrics by group and time), ``crossover`` (two
        conditions in the same people), or a formula such as ``pet ~ group * age``.
    score : str
        Column, such as ``madrs_total``; default: the study's first.
    covariates : str or sequence of str
        Default: age and sex where they vary; an empty one for none.
    arm : str
        ``pooled``, ``interaction`` or the name of one arm.
    percent, baseline : bool
        Change in percent of the first scan; the last scan adjusted for the first (ANCOVA).
    variance : str
        ``by-group``: groups may differ in variance (Welch).
    sessions : str or sequence of str
        First and second.
    measure : str
        What images or numbers are explained; default: what fits the question and the study.
    contrasts : str or sequence of str
        Of a formula, as in `model`.
    metrics : str or sequence of str
        Of a graph, as in `graph`.
    voxelwise : mapping
        Covariates with a value in every voxel: name, and measure or 4D file.
    thresholds : (float, float)
        Of an overlap: uncorrected p of both maps.
    exclude : str or sequence of str
        People left out.
    region : str
        Small volume.
    density, r, edges, weighted, atlas
        Of graphs, as in `graph`; several densities make areas under the curve.
    reference, window, fwhm, scaling, mask, grid
        Of maps: reference region of PET, its frames in minutes, smoothing in mm, division by the mean, where to look,
        the grid that all maps are brought to.
    strategy, run_fwhm, drop, detrend, band, columns, censor, brain
        Of runs: confounds by strategy or column, and the preparation of `seed`.
    permutations, seed, correction, cluster_threshold, connectivity, tfce_h, tfce_e, one_sided
        As in `model`.
    quality : mapping
        Of a crossover: limits of spectra other than the usual ones, by ``linewidth_hz_max``, ``snr_min``,
        ``crlb_percent_max`` and ``gm_fraction_min``; None lifts one.
    multiverse : bool
        Of graphs: also the table over atlases, densities and strategies.
    sensitivity : bool
        Of PET: also the answer for other reference regions and thresholds, as tables, maps and a figure.
    names : bool
        Files name people; else rows of the participants' table stand for them.
    kept : bool
        Start from the choices that the window keeps with the study.
    out : path
        Folder for maps, tables, figure and report, outside the study; new, empty, or with an answer to the same.

    Returns
    -------
    Asked
        ``regions`` (DataFrame), ``maps`` (nibabel images by name), ``words``, ``findings``, ``files``; ``json()`` is
        what ``habena ask --json`` prints.
    """
    given = dict(locals())
    from .app.study import asked  # noqa: PLC0415

    options = {name: given[name] for name in given if name not in {"folder", "question", "out"}}
    return asked.ask(os.fspath(folder), question, _wanted(options), name_of(out))


def evidence_cards() -> tuple[Card, ...]:
    """What is known of hypotheses and regions: cards with claims, numbers, what speaks for and against, and sources.

    Cards of your own in the folder of the user's data are among them; one that cannot be read is left out, and
    `habena.app.evidence.read_card` says what is wrong with it.

    Returns
    -------
    tuple of Card
        Hypotheses first; ``title``, ``claim``, ``levels``, ``numbers``, ``in_favour``, ``against``, ``sources``.
    """
    from .app.evidence import evidence_cards as cards  # noqa: PLC0415

    return cards()[0]


def make_demo(
    folder: Path_, *, seed: int = 2026, effect: float = 1.0, size: Literal["small", "full"] = "small"
) -> Demo:
    """Write the simulated studies: PET before and after ketamine, resting runs of two arms, a spectroscopy crossover.

    Nobody was scanned, and every file says so.

    Parameters
    ----------
    folder : path
    seed : int
        The same seed makes the same people.
    effect : float
        Strength of what is planted; 0 is noise alone.
    size : str
        ``full`` is of the size of the published studies.

    Returns
    -------
    Demo
        ``ampar_pet``, ``ketamine_bold``, ``naltrexone_mrs``: folders for `ask`; ``planted``: what was put in.
    """
    from pathlib import Path  # noqa: PLC0415

    from .app.simulated.demo import make_demo as make  # noqa: PLC0415

    return make(Path(folder), seed=seed, effect=effect, size=size)


def _wanted(options: Mapping[str, Any]) -> Wanted:
    from .app.study.wanted import Wanted  # noqa: PLC0415

    given = dict(options)
    for name in ("sessions", "contrasts", "metrics", "exclude", "columns"):
        given[name] = listed(given.get(name, ()))
    if given.get("covariates") is not None:
        given["covariates"] = listed(given["covariates"])
    for name in ("reference", "mask", "grid", "brain"):
        given[name] = name_of(given.get(name))
    density = given.get("density", ())
    given["density"] = (float(density),) if isinstance(density, int | float) else tuple(density)
    given["voxelwise"] = tuple(dict(given.get("voxelwise") or {}).items())
    limits = dict(given.get("quality") or {})
    given["quality"] = tuple((name, math.inf if value is None else float(value)) for name, value in limits.items())
    return Wanted(**given)
