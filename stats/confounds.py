"""What is to be removed from time series, as one set of regressors.

Drift, confounds, frequencies outside a band and censored volumes are removed together, in one projection: done one
after the other, a later step brings back what an earlier one took out (Lindquist et al. 2019,
doi 10.1002/hbm.24528; Hallquist et al. 2013, doi 10.1016/j.neuroimage.2013.05.116).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, cast

import numpy as np
from scipy.linalg import qr

from .arrays import Bool, Float64, Int64, read_only
from .errors import CannotCompute

# A column of which less than this share is left once the others are removed adds nothing but rounding.
INDEPENDENT = 1e-8
# fMRIPrep leaves the first row of derivatives, framewise displacement and DVARS empty.
LEADING_ROWS_FILLED = 1
EDGE = 1e-9  # relative; frequencies this close to an edge of the band lie on it


@dataclass(frozen=True, eq=False)
class Nuisance:
    """What to remove from a run.

    Attributes
    ----------
    n_volumes : int
        Volumes, after dropping initial ones.
    polynomial : int
        Highest order of drift; order 0 (the mean) is always removed.
    band_hz : (float, float) or None
        Frequencies to keep, both edges included; needs `tr_s`. (0.01, inf) is a high-pass.
    tr_s : float or None
        Time from one volume to the next.
    confounds : (n_volumes, k) float64 or None
        One column per confound.
    names : tuple of str
        Of the confounds.
    censored : (n_volumes,) bool or None
        Volumes to leave out.
    """

    n_volumes: int
    polynomial: int = 0
    band_hz: tuple[float, float] | None = None
    tr_s: float | None = None
    confounds: Float64 | None = None
    names: tuple[str, ...] = ()
    censored: Bool | None = None


class Design(NamedTuple):
    """The regressors as one orthonormal basis, and what the projection costs.

    Attributes
    ----------
    basis : (n_volumes, r) float64, read-only
        Orthonormal, spans all regressors over the kept volumes; 0 at censored ones.
    complement : (n_volumes, residual_df) float64, read-only
        Orthonormal, spans what remains; 0 at censored volumes.
    kept : (n_volumes,) bool, read-only
        Volumes that are not censored.
    rank : int
        Lost degrees of freedom: independent regressors, a censored volume counting as one.
    collinear : tuple of str
        Confounds that add nothing to the other regressors.
    filled : tuple of str
        Confounds whose empty first value was replaced by their second.
    """

    basis: Float64
    complement: Float64
    kept: Bool
    rank: int
    collinear: tuple[str, ...]
    filled: tuple[str, ...]

    @property
    def residual_df(self) -> int:
        """Degrees of freedom that remain."""
        return self.complement.shape[1]


def design(nuisance: Nuisance) -> Design:
    """Build the regressors and count what they cost.

    Polynomials are Legendre's, order 0 to N. Of the run's own frequencies k / (n TR), k = 1 ... n // 2, those outside
    the band are regressors, a cosine and a sine each (at the Nyquist frequency the cosine alone); k = 0 is the
    polynomial of order 0. A censored volume is a regressor that is 1 there and 0 elsewhere, which is the same as
    leaving the volume out of everything. An empty first value of a confound (fMRIPrep's derivatives) becomes its
    second value, as in nilearn's ``load_confounds``.

    Returns
    -------
    Design

    Raises
    ------
    CannotCompute
        When no degree of freedom remains, a confound has other empty values, or an argument has no meaning.
    """
    kept = _kept(nuisance)
    mean_and_band = np.hstack([np.ones((nuisance.n_volumes, 1)), _out_of_band(nuisance)])
    given, filled = _confounds(nuisance, kept)
    basis = np.empty((int(kept.sum()), 0))
    basis, _ = _extended(basis, mean_and_band[kept])
    basis, _ = _extended(basis, _polynomials(nuisance)[kept])
    basis, added = _extended(basis, given[kept])
    if basis.shape[1] >= len(basis):
        raise CannotCompute(_none_left(nuisance, kept, basis.shape[1]), _remedy(nuisance))
    full = np.linalg.qr(basis, mode="complete").Q
    return Design(
        basis=_at_volumes(basis, kept),
        complement=_at_volumes(full[:, basis.shape[1] :], kept),
        kept=read_only(kept),
        rank=basis.shape[1] + int((~kept).sum()),
        collinear=tuple(name for name, new in zip(nuisance.names, added, strict=True) if not new),
        filled=filled,
    )


def _extended(basis: Float64, columns: Float64) -> tuple[Float64, Bool]:
    """An orthonormal basis with the directions that columns add to it, and which columns added one."""
    added = np.zeros(columns.shape[1], np.bool_)
    if not columns.shape[1]:
        return basis, added
    # the mean goes first where it is in the basis: beside a large one, a column's variation looks like rounding
    varying = columns - columns.mean(axis=0) if basis.shape[1] else columns
    norm = np.linalg.norm(varying, axis=0)
    varies = norm > INDEPENDENT * np.linalg.norm(columns, axis=0)
    rest = np.where(varies, varying / np.where(varies, norm, 1), 0)
    for _ in range(2):  # the second time removes the rounding errors of the first
        rest = rest - basis @ (basis.T @ rest)
    directions, sizes, order = cast("tuple[Float64, Float64, Int64]", qr(rest, mode="economic", pivoting=True))
    n = int(np.count_nonzero(np.abs(np.diag(sizes)) > INDEPENDENT))
    added[order[:n]] = True
    new = directions[:, :n] - basis @ (basis.T @ directions[:, :n])
    return np.hstack([basis, new / np.linalg.norm(new, axis=0)]), added


def _kept(nuisance: Nuisance) -> Bool:
    censored = nuisance.censored
    if censored is None:
        return np.ones(nuisance.n_volumes, np.bool_)
    if censored.shape != (nuisance.n_volumes,):
        raise CannotCompute(
            f"{censored.shape[0]} volumes are marked as kept or censored, the run has {nuisance.n_volumes}",
            "mark every volume after the dropped ones",
        )
    if censored.all():
        raise CannotCompute("every volume is censored", "raise the threshold of motion")
    return ~censored.astype(np.bool_)


def _polynomials(nuisance: Nuisance) -> Float64:
    """Orthonormal polynomials of order 1 to N over the run, (n_volumes, N).

    Each is the last one times time, made orthogonal to all before (twice: once loses digits at high orders).
    """
    if nuisance.polynomial < 0:
        raise CannotCompute(f"a polynomial has no order {nuisance.polynomial}", "give 0 (the mean), 1, 2 ...")
    n = nuisance.n_volumes
    time = np.linspace(-1, 1, n)
    basis = np.full((n, 1), 1 / np.sqrt(n))
    for _ in range(min(nuisance.polynomial, n - 1)):
        column = time * basis[:, -1]
        for _ in range(2):
            column -= basis @ (basis.T @ column)
        basis = np.column_stack((basis, column / np.linalg.norm(column)))
    return basis[:, 1:]


def _out_of_band(nuisance: Nuisance) -> Float64:
    """Cosine and sine of every frequency of the run outside the band, (n_volumes, columns)."""
    n = nuisance.n_volumes
    if nuisance.band_hz is None:
        return np.empty((n, 0))
    low, high = nuisance.band_hz
    if not 0 <= low < high:
        raise CannotCompute(f"{low:g} to {high:g} Hz is not a band", "give a lower and a higher frequency")
    if nuisance.tr_s is None or not (np.isfinite(nuisance.tr_s) and nuisance.tr_s > 0):
        raise CannotCompute("a band needs the time between volumes", "give the repetition time in seconds")
    k = np.arange(1, n // 2 + 1)
    frequency_hz = k / (n * nuisance.tr_s)
    inside = (frequency_hz >= low * (1 - EDGE)) & (frequency_hz <= high * (1 + EDGE))
    if not inside.any():
        raise CannotCompute(
            f"none of the run's frequencies ({frequency_hz[0]:.4g} to {frequency_hz[-1]:.4g} Hz) "
            f"lies in {low:g} to {high:g} Hz",
            "widen the band, or check the repetition time",
        )
    angle = 2 * np.pi * np.outer(np.arange(n), k[~inside]) / n
    sines = 2 * k[~inside] < n
    return np.hstack([np.cos(angle), np.sin(angle[:, sines])])


def _confounds(nuisance: Nuisance, kept: Bool) -> tuple[Float64, tuple[str, ...]]:
    """The confounds with empty first values filled, and the names of those."""
    if nuisance.confounds is None:
        if nuisance.names:
            raise CannotCompute("confounds are named but none is given", "give one column for each name")
        return np.empty((nuisance.n_volumes, 0)), ()
    given = np.array(nuisance.confounds, dtype=np.float64, ndmin=2)
    if given.shape != (nuisance.n_volumes, len(nuisance.names)):
        raise CannotCompute(
            f"the confounds are {given.shape[0]} rows of {given.shape[1]} columns, the run has "
            f"{nuisance.n_volumes} volumes and {len(nuisance.names)} columns are named",
            "give one row for each volume that is not dropped",
        )
    empty = ~np.isfinite(given)
    first_only = empty[0] & ~empty[1:2].any(axis=0) if len(given) > 1 else np.zeros(given.shape[1], np.bool_)
    given[0, first_only] = given[1:2, first_only].ravel()
    _refuse_empty(~np.isfinite(given) & kept[:, None], nuisance.names)
    given[~kept] = 0
    return given, tuple(name for name, is_filled in zip(nuisance.names, first_only & kept[0], strict=True) if is_filled)


def _refuse_empty(empty: Bool, names: tuple[str, ...]) -> None:
    if empty.any():
        row, column = (int(at[0]) for at in np.nonzero(empty))
        more = int(empty.sum()) - 1
        raise CannotCompute(
            f"confound {names[column]} has no number at volume {row + 1}" + (f" (and {more} more)" if more else ""),
            "leave the column out, drop or censor that volume, or complete the table",
        )


def _at_volumes(columns: Float64, kept: Bool) -> Float64:
    """Columns over the kept volumes, with zeros at the censored ones."""
    result = np.zeros((len(kept), columns.shape[1]))
    result[kept] = columns
    result.flags.writeable = False
    return result


def _none_left(nuisance: Nuisance, kept: Bool, rank: int) -> str:
    censored = int((~kept).sum())
    parts = [f"{rank} independent regressors"] + ([f"{censored} censored volumes"] if censored else [])
    return f"{' and '.join(parts)} leave no degree of freedom of {nuisance.n_volumes} volumes"


def _remedy(nuisance: Nuisance) -> str:
    remedies = [
        (nuisance.band_hz is not None, "widen the band"),
        (nuisance.confounds is not None, "remove fewer confounds"),
        (nuisance.censored is not None, "censor fewer volumes"),
        (nuisance.polynomial > 0, "lower the order of the polynomial"),
    ]
    return ", ".join(text for applies, text in remedies if applies) or "use a longer run"
