"""Spectra of a study: where their voxel lies, their fitted values, and which of them are good enough."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..problems import Finding, Problem
from .values import PERSON, SESSION, Scan, Study

Frame = Any  # a DataFrame, whose stubs do not follow what its methods give
TIME_MIN = "time_min"
OBLIQUE_DEG = 0.5  # between an edge of a voxel and the nearest axis; less is rounding
UNEQUAL_P = 0.05
CORNERS = np.array([(x, y, z) for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])


class VoxelBox(NamedTuple):
    """The voxel of a spectrum, in the file's world.

    Attributes
    ----------
    corners_mm : (8, 3) float64
        In the order of (x, y, z) = (0, 0, 0), (0, 0, 1), (0, 1, 0) ... of the voxel's own axes.
    centre_mm : (3,) float64
    size_mm : (3,) float64
        Lengths of its edges along its own axes.
    oblique : bool
        Whether it is turned against the axes of the world.
    """

    corners_mm: NDArray[np.float64]
    centre_mm: NDArray[np.float64]
    size_mm: NDArray[np.float64]
    oblique: bool


@dataclass(frozen=True)
class Limits:
    """Which spectra are used. None is no limit; a spectrum without the value is not removed by it.

    Attributes
    ----------
    linewidth_hz_max : float or None
        13 Hz is .1 ppm at 3 T, beyond which the consensus of Wilson et al. 2019 (doi 10.1002/mrm.27742) calls a
        spectrum poor.
    snr_min : float or None
    crlb_percent_max : float or None
        Relative lower bound of Cramer and Rao. A limit on it also removes low concentrations (Kreis 2016,
        doi 10.1002/mrm.25568): look at what it removes by condition.
    gm_fraction_min : float or None
        Share of grey matter in the voxel.
    """

    linewidth_hz_max: float | None = 13.0
    snr_min: float | None = None
    crlb_percent_max: float | None = 20.0
    gm_fraction_min: float | None = None

    def rules(self) -> tuple[tuple[str, str, float], ...]:
        """Column of the fitted table (its beginning), ``max`` or ``min``, and the limit; only those that are set."""
        given = (
            ("linewidth_hz", "max", self.linewidth_hz_max),
            ("snr", "min", self.snr_min),
            ("crlb", "max", self.crlb_percent_max),
            ("gm_fraction", "min", self.gm_fraction_min),
        )
        return tuple((column, side, limit) for column, side, limit in given if limit is not None)


def limits_of(quality: Iterable[tuple[str, float]]) -> Limits:
    """The usual limits but for those that are named; infinity lifts one.

    Raises
    ------
    Problem
        A limit that there is none of, or no number.
    """
    known = [field.name for field in fields(Limits)]
    wanted: dict[str, float | None] = {}
    for name, value in quality:
        if name not in known:
            raise Problem("quality", f"there is no limit named '{name}'", f"choose from {', '.join(known)}")
        if np.isnan(value):
            raise Problem("quality", f"{name} is no number", "give one, or inf for no limit")
        wanted[name] = None if np.isinf(value) else float(value)
    return replace(Limits(), **wanted)


class Filtered(NamedTuple):
    """Spectra that are good enough.

    Attributes
    ----------
    kept : DataFrame
    removed : DataFrame
        ``filter``, ``limit``, ``condition``, ``spectra``, ``removed``, ``share``: a row per filter and condition, and
        of all filters together.
    findings : tuple of Finding
    """

    kept: Frame
    removed: Frame
    findings: tuple[Finding, ...]


def voxel_box(scan: Scan) -> VoxelBox:
    """The box of a single-voxel spectrum, by the affine of its file.

    Raises
    ------
    Problem
        When the file is none, has several voxels, or no place in space.
    """
    from ..io.volumes import open_volume  # noqa: PLC0415 - only where a box is shown

    info = open_volume(scan.path).info
    if info.shape[:3] != (1, 1, 1):
        size = " x ".join(map(str, info.shape[:3]))
        raise Problem(scan.path, f"has {size} voxels", "name a single-voxel spectrum")
    if info.space.source == "fallback":
        raise Problem(scan.path, "says nowhere where its voxel lies", "use a file with sform or qform")
    return box_of(np.asarray(info.space.grid.affine, np.float64))


def box_of(affine: NDArray[np.float64]) -> VoxelBox:
    """The box of the one voxel of an affine (4, 4) in mm."""
    edges, centre = affine[:3, :3], affine[:3, 3]
    size = np.linalg.norm(edges, axis=0)
    nearest = np.abs(edges / size).max(axis=0)
    oblique = bool((nearest < np.cos(np.deg2rad(OBLIQUE_DEG))).any())
    return VoxelBox(centre + CORNERS @ edges.T, centre.copy(), size, oblique)


def read_fits(study: Study) -> tuple[Frame, tuple[Finding, ...]]:
    """Fitted values of all spectra, a row per spectrum, with person and session; and what could not be read.

    Raises
    ------
    Problem
        When no spectrum has a fitted table.
    """
    import pandas as pd  # noqa: PLC0415 - slow to import

    from ..io.study_table import read_table  # noqa: PLC0415

    parts: list[Frame] = []
    findings: list[Finding] = []
    for scan in study.scans_of(kind="mrs"):
        if scan.fits is None:
            message = f"{scan.path.name} has no table of fitted values beside it; its session is left out."
            findings.append(Finding("fits-missing", scan.participant, scan.session, message))
            continue
        try:
            own = read_table(scan.fits).frame
        except Problem as problem:
            findings.append(Finding("fits-unreadable", scan.participant, scan.session, f"{problem}."))
            continue
        if TIME_MIN not in own:
            message = f"{scan.fits.name} has no column {TIME_MIN}; its session is left out."
            findings.append(Finding("fits-unreadable", scan.participant, scan.session, message))
            continue
        parts.append(own.assign(**{PERSON: scan.participant, SESSION: scan.session or ""}))
    if not parts:
        what = "has no table of fitted spectra"
        raise Problem(study.folder, what, "put *_svs.tsv with time_min and the fitted ratio beside each spectrum")
    numbers = {str(name) for part in parts for name in part if _mostly_numbers(parts, name)}
    findings += [said for part in parts for said in _in_numbers(part, numbers)]
    fits = pd.concat(parts, ignore_index=True)
    return fits[fits[TIME_MIN].notna()].reset_index(drop=True), tuple(findings)


def _mostly_numbers(parts: list[Frame], name: str) -> bool:
    kinds = [part[name].dtype.kind in "fi" for part in parts if name in part]
    return 2 * sum(kinds) > len(kinds)


def _in_numbers(part: Frame, numbers: set[str]) -> Iterable[Finding]:
    """Make numbers of columns that are numbers in most tables; text in them is missing, and named."""
    import pandas as pd  # noqa: PLC0415 - slow to import

    for name in sorted(numbers & set(part)):
        if part[name].dtype.kind in "fi":
            continue
        values: Frame = pd.to_numeric(part[name], errors="coerce")
        refused = part[name][values.isna() & part[name].notna()]
        part[name] = values.astype(np.float64)
        person, session = part[PERSON].iloc[0], part[SESSION].iloc[0]
        if len(refused):
            message = f"{name} of {person} {session} is '{refused.iloc[0]}', which is no number; it is missing."
            yield Finding("not-a-number", person, str(refused.iloc[0]), message)


def filtered(fits: Frame, limits: Limits) -> Filtered:
    """Keep spectra within the limits, and say what each limit removes by ``condition``.

    A limit that removes more of one condition than of another (Fisher's exact test over spectra, p < .05, which takes
    spectra of a person as independent) is a finding: what is left is then chosen by condition.
    """
    import pandas as pd  # noqa: PLC0415

    bad: dict[tuple[str, float | None], NDArray[np.bool_]] = {}
    findings: list[Finding] = []
    for start, side, limit in limits.rules():
        column = next((name for name in fits.columns if str(name).startswith(start)), None)
        if column is None or fits[column].dtype.kind not in "fi":
            message = f"The fitted tables have no numbers {start}: the limit removes nothing."
            findings.append(Finding("filter-unused", start, limit, message))
            continue
        values = fits[column].to_numpy(np.float64)
        bad[f"{column} {side}", limit] = values > limit if side == "max" else values < limit
    together = np.any(list(bad.values()), axis=0) if bad else np.zeros(len(fits), np.bool_)
    bad["all", None] = together
    rows: list[dict[str, object]] = []
    for (name, limit), removed in bad.items():
        counted = _by_condition(fits["condition"], removed)
        rows += [{"filter": name, "limit": limit, **row} for row in counted]
        findings += _unequal(name, counted)
    return Filtered(fits[~together].reset_index(drop=True), pd.DataFrame(rows), tuple(findings))


def _by_condition(condition: Any, removed: NDArray[np.bool_]) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for level in sorted(condition.astype(str).unique()):
        own = removed[(condition.astype(str) == level).to_numpy()]
        rows.append({"condition": level, "spectra": own.size, "removed": int(own.sum()), "share": float(own.mean())})
    return rows


def _unequal(name: str, counted: list[dict[str, object]]) -> tuple[Finding, ...]:
    from scipy.stats import fisher_exact  # noqa: PLC0415 - slow to import

    table = np.array([(row["removed"], row["spectra"]) for row in counted], np.int64)
    if len(table) != 2 or not table[:, 0].any():
        return ()
    found: Any = fisher_exact(np.column_stack([table[:, 0], table[:, 1] - table[:, 0]]))
    p = float(found.pvalue)
    if not p < UNEQUAL_P:
        return ()
    shares = ", ".join(f"{row['condition']} {row['share']:.0%}" for row in counted)
    message = (
        f"The filter '{name}' removes unequally ({shares}; Fisher's exact p = {p:.2g} over spectra): what is left is "
        "chosen by condition. Compare the result without it."
    )
    return (Finding("filter-unequal", name, p, message),)
