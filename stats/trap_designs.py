"""Traps of designs: maps that share data, groups that are sites, motion that follows the groups."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import f_oneway

from .arrays import Float64, Int64
from .effective import two_sided_p
from .errors import CannotCompute
from .traps import Trap, Traps

LEVEL = 0.05
COLLINEAR = 0.5  # of the groups' variance


class SiteTable(NamedTuple):
    """Scans of each group at each site.

    Attributes
    ----------
    groups, sites : tuple of str
    counts : (G, S) int64
    explained : float
        Cramer's V squared, 0 to 1: how well the site tells the group.
    """

    groups: tuple[str, ...]
    sites: tuple[str, ...]
    counts: Int64
    explained: float


class Motion(NamedTuple):
    """Mean framewise displacement by group.

    Attributes
    ----------
    groups : tuple of str
    mean_mm : (G,) float64
        Of the change, where there are two sessions.
    f : float
    df : (int, int)
    p : float
        One-way analysis of variance; of the change it is the test of group x time.
    """

    groups: tuple[str, ...]
    mean_mm: Float64
    f: float
    df: tuple[int, int]
    p: float


class QcFc(NamedTuple):
    """Correlation of every edge with motion over scans.

    Attributes
    ----------
    r : (E,) float64
    median_abs_r : float
    share : float
        Edges with p < .05, uncorrected; .05 by chance.
    """

    r: Float64
    median_abs_r: float
    share: float


def coupling(rho: float) -> float:
    """Correlation under pure noise of a map of change (post - pre) with a map of pre, sessions correlating at rho.

    ``cov(post - pre, pre) = rho - 1``, by the spreads ``sqrt(2 (1 - rho))`` and 1: ``-sqrt((1 - rho) / 2)``.

    Raises
    ------
    CannotCompute
        When rho is no correlation.
    """
    if not -1 <= rho <= 1:
        raise CannotCompute(f"{rho:g} is no correlation", "give one of -1 to 1")
    return -float(np.sqrt((1 - rho) / 2))


def shared_data(first: str, second: str, rho: float) -> Traps:
    """Two maps of one outcome, one of change and one of baseline: that they resemble each other was to be expected."""
    expected = coupling(rho)
    message = (
        f"{first} and {second} share the baseline scans: under pure noise they correlate at {expected:.2f} "
        f"(sessions at {rho:.2f}). That they agree is no replication."
    )
    return (Trap("shared-data", f"{first}, {second}", expected, message),)


def session_correlation(before: Float64, after: Float64) -> float:
    """Median over voxels of the correlation of two sessions over people, both (n, V), same order of people.

    Raises
    ------
    CannotCompute
        When the two do not fit, or no voxel varies.
    """
    if before.shape != after.shape or before.ndim != 2 or len(before) < 3:
        raise CannotCompute(f"sessions of {before.shape} and {after.shape} are no pairs", "give both of every person")
    one, two = before - before.mean(axis=0), after - after.mean(axis=0)
    lengths = np.sqrt((one**2).sum(axis=0) * (two**2).sum(axis=0))
    varies = lengths > 0
    if not varies.any():
        raise CannotCompute("no voxel varies between people", "check the maps")
    return float(np.median((one * two).sum(axis=0)[varies] / lengths[varies]))


def site_table(group: ArrayLike, site: ArrayLike) -> SiteTable:
    """Count scans by group and site.

    Raises
    ------
    CannotCompute
        When the two columns differ in length or are empty.
    """
    members, places = np.asarray(group).astype(str), np.asarray(site).astype(str)
    if members.shape != places.shape or members.ndim != 1 or not members.size:
        raise CannotCompute(f"{members.size} groups and {places.size} sites are no table", "give both for every scan")
    groups, row = np.unique(members, return_inverse=True)
    sites, column = np.unique(places, return_inverse=True)
    counts = np.zeros((len(groups), len(sites)), np.int64)
    np.add.at(counts, (row, column), 1)
    return SiteTable(tuple(groups.tolist()), tuple(sites.tolist()), counts, _cramer_v2(counts))


def group_is_site(where: str, table: SiteTable) -> Traps:
    """Groups from other sites: what is a site's cannot be told from what is a group's."""
    apart = [site for site, column in zip(table.sites, table.counts.T, strict=True) if (column > 0).sum() == 1]
    if len(table.groups) < 2 or len(table.sites) < 2 or table.explained < COLLINEAR:
        return ()
    mixed = len(table.sites) - len(apart)
    verdict = (
        "No site has scans of two groups: group and site cannot be told apart."
        if not mixed
        else f"{len(apart)} of {len(table.sites)} sites have one group only: the difference rests on the other {mixed}."
    )
    message = f"Site tells {table.explained:.0%} of group. {verdict} Show the site table first."
    return (Trap("group-is-site", where, table.explained, message),)


def motion_by_group(fd_mm: ArrayLike, group: ArrayLike, fd_after_mm: ArrayLike | None = None) -> Motion:
    """Test whether mean framewise displacement differs by group, or its change does (group x time).

    Parameters
    ----------
    fd_mm : (n,)
        Mean framewise displacement of each scan; of the first session where there are two.
    group : (n,)
    fd_after_mm : (n,), optional
        Of the second session. Scans with a missing value are left out.

    Raises
    ------
    CannotCompute
        With fewer than two groups of two scans.
    """
    value = np.asarray(fd_mm, dtype=np.float64)
    if fd_after_mm is not None:
        value = np.asarray(fd_after_mm, dtype=np.float64) - value
    members = np.asarray(group).astype(str)
    known = np.isfinite(value)
    names = np.unique(members[known])
    parts = [value[known & (members == name)] for name in names]
    if len(parts) < 2 or min(map(len, parts)) < 2:
        raise CannotCompute("motion needs two groups of two scans or more", "check the groups")
    found = f_oneway(*parts)
    means = np.array([part.mean() for part in parts])
    df = (len(parts) - 1, int(known.sum()) - len(parts))
    return Motion(tuple(names.tolist()), means, float(found.statistic), df, float(found.pvalue))


def motion_follows_group(where: str, motion: Motion) -> Traps:
    """Motion that differs by group (x time): what it does to connectivity comes with it."""
    if not motion.p < LEVEL:
        return ()
    means = ", ".join(f"{name} {mean:.3f}" for name, mean in zip(motion.groups, motion.mean_mm, strict=True))
    message = (
        f"Motion differs ({means} mm; F({motion.df[0]}, {motion.df[1]}) = {motion.f:.2f}, p = {motion.p:.2g}). "
        "Look at QC-FC, censor, and add mean motion as a covariate."
    )
    return (Trap("motion", where, motion.p, message),)


def quality_connectivity(edges: Float64, fd_mm: Float64) -> QcFc:
    """QC-FC: correlate every edge (n, E) with mean framewise displacement (n,) over scans.

    Ciric et al. 2017, doi 10.1016/j.neuroimage.2017.03.020.

    Raises
    ------
    CannotCompute
        When the two do not fit, there are fewer than four scans, or nothing varies.
    """
    if edges.ndim != 2 or fd_mm.shape != (len(edges),) or len(edges) < 4:
        raise CannotCompute(f"edges of {edges.shape} and {fd_mm.size} values of motion do not fit", "check the table")
    one, two = edges - edges.mean(axis=0), fd_mm - fd_mm.mean()
    lengths = np.sqrt((one**2).sum(axis=0) * (two @ two))
    varies = lengths > 0
    if not varies.any():
        raise CannotCompute("edges or motion do not vary between scans", "check the table")
    r = np.full(edges.shape[1], np.nan)
    r[varies] = (two @ one[:, varies]) / lengths[varies]
    p = two_sided_p(r[varies], len(edges) - 2)
    return QcFc(r, float(np.median(np.abs(r[varies]))), float((p < LEVEL).mean()))


def motion_in_connectivity(where: str, found: QcFc) -> Traps:
    """More than twice the edges that chance would have follow motion."""
    if found.share <= 2 * LEVEL:
        return ()
    message = (
        f"{found.share:.0%} of the edges correlate with motion at p < .05 (5 % by chance; median |r| "
        f"{found.median_abs_r:.2f}). Remove more of it before comparing groups."
    )
    return (Trap("qc-fc", where, found.share, message),)


def _cramer_v2(counts: Int64) -> float:
    """Chi-squared over its largest value."""
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
    least = min(counts.shape) - 1
    return float(((counts - expected) ** 2 / expected).sum() / counts.sum() / least) if least else 0.0
