"""Test statistics of rearranged data by the method of Freedman and Lane.

A model Y = M b + errors is split, for a contrast C b = 0, into a tested part X and a nuisance Z (partition of Guttman:
Z = M N with N the null space of C, X = M C+; Winkler et al. 2014, NeuroImage 92, appendix A). The residuals of Y by Z
are rearranged, the nuisance fit is added again and the whole model is refitted (Freedman and Lane 1983). With
orthonormal x of X (residualised by Z) and z of Z, and unit residuals e, a rearrangement P needs no refit:

    R2 = |x' P e|2 / (1 - |z' P e|2)

is the share of variance explained by the tested part; t and F follow from it by the degrees of freedom. Rearranging
the few columns of x and z instead of the data makes it a matrix product.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import null_space
from scipy.stats import chi2, norm
from scipy.stats import f as f_distribution
from scipy.stats import t as t_distribution

from .arrays import Float64, Int64
from .errors import CannotCompute

MOST_EXPLAINED = 1 - 1e-5  # of the variance, for what clusters and TFCE are made of
INDEPENDENT = 1e-8  # least share of a column's length that is its own


class Partition(NamedTuple):
    """A design as seen by a contrast.

    Attributes
    ----------
    nuisance : (n, p - q) float64
    tested : (n, q) float64
        Not yet orthogonal to the nuisance. With q = 1 its coefficient is the contrast's estimate.
    mixing : (p, p) float64
        The design times it is (nuisance, tested).
    """

    nuisance: Float64
    tested: Float64
    mixing: Float64


def partition(design: Float64, weights: Float64) -> Partition:
    """Split a design by a contrast.

    Parameters
    ----------
    design : (n, p)
    weights : (q, p)
        Rows of the contrast.

    Raises
    ------
    CannotCompute
        When the contrast has other than p columns, is 0, or has rows that follow from one another.
    """
    rows = np.atleast_2d(np.asarray(weights, np.float64))
    if rows.shape[1] != design.shape[1]:
        raise CannotCompute(
            f"the contrast has {rows.shape[1]} weights, the design {design.shape[1]} columns",
            "give one weight for each column",
        )
    if not np.isfinite(rows).all() or np.linalg.matrix_rank(rows) < len(rows):
        raise CannotCompute("the contrast is 0 or its rows follow from one another", "leave out what is repeated")
    mixing = np.hstack([null_space(rows), np.linalg.pinv(rows)])
    columns = design @ mixing
    free = design.shape[1] - len(rows)
    return Partition(columns[:, :free], columns[:, free:], mixing.astype(np.float64))


def orthonormal(split: Partition) -> tuple[Float64, Float64]:
    """Orthonormal nuisance (n, p - q), and tested (n, q) free of it, oriented as the contrast's estimate.

    Raises
    ------
    CannotCompute
        When columns are collinear or no degree of freedom remains.
    """
    columns = np.hstack([split.nuisance, split.tested])
    n, p = columns.shape
    if n <= p:
        raise CannotCompute(
            f"{p} columns leave no degree of freedom of {n} rows", "use fewer columns or more observations"
        )
    basis, triangle = np.linalg.qr(columns)
    size = np.diag(triangle)
    if (np.abs(size) <= INDEPENDENT * np.linalg.norm(columns, axis=0)).any():
        raise CannotCompute("columns of the design are collinear", "leave out what follows from other columns")
    basis = basis * np.sign(size)
    free = split.nuisance.shape[1]
    return basis[:, :free], basis[:, free:]


def varying(nuisance: Float64, invariant: Float64) -> Float64:
    """The nuisance (n, z) without directions that no arrangement changes: residuals have nothing of them, ever."""
    if not (nuisance.shape[1] and invariant.shape[1]):
        return nuisance
    turned, cosines, _ = np.linalg.svd(nuisance.T @ np.linalg.qr(invariant).Q)
    kept = np.ones(nuisance.shape[1], np.bool_)
    kept[: len(cosines)] = cosines < 1 - INDEPENDENT
    return nuisance @ turned[:, kept]


def refuse_futile(design: Float64, nuisance: Float64, invariant: Float64) -> None:
    """Refuse a contrast that tests what no arrangement changes, such as a mean by permutation."""
    if not invariant.shape[1]:
        return
    fixed = np.linalg.qr(invariant).Q
    length = _length_in(fixed, np.linalg.qr(design).Q)
    if (length > 1 - INDEPENDENT).any() and (_length_in(fixed, nuisance) < length - INDEPENDENT).any():
        raise CannotCompute(
            "the contrast tests a mean, and permutations change no mean",
            "use sign flips, or test another contrast",
        )


def _length_in(columns: Float64, basis: Float64) -> Float64:
    return np.linalg.norm(basis.T @ columns, axis=0)


@dataclass(frozen=True)
class Scale:
    """How the number that is counted becomes a test statistic.

    Inside, a statistic is kept as a signed square: of the partial correlation (R2 for F). With variance groups it is
    shown as the v of Aspin and Welch (the G of Winkler et al. 2014) and compared as z (chi-square), which has the same
    distribution at each voxel, nearly.

    Attributes
    ----------
    name : "t", "F", "v" or "G"
    q : int
        Rows of the contrast.
    df : int
        Residual degrees of freedom.
    """

    name: Literal["t", "F", "v", "G"]
    q: int
    df: int

    def statistic(self, squares: NDArray[Any]) -> NDArray[Any]:
        """Test statistics of signed squares as they are shown; the dtype stays."""
        if self.name == "G":
            return squares
        if self.name == "v":
            return signed_root(squares)
        with np.errstate(divide="ignore"):
            odds = self.df * squares / (1 - np.minimum(np.abs(squares), 1))
        return odds / self.q if self.name == "F" else signed_root(odds)

    def compared(self, squares: NDArray[Any]) -> NDArray[Any]:
        """What signed squares that are compared stand for: t, F, z, or chi-square by its degrees of freedom.

        Finite: where the model explains data wholly, such as binary ones that equal the group, rounding would decide
        between a large number and infinity.
        """
        if self.name == "G":
            return squares / self.q
        return self.statistic(squares if self.name == "v" else np.clip(squares, -MOST_EXPLAINED, MOST_EXPLAINED))

    def log_p(self, squares: NDArray[Any], *, two_sided: bool = True) -> Float64:
        """Logarithm of the parametric p of signed squares that are compared; nearly, with variance groups."""
        statistic = self.compared(np.asarray(squares, np.float64))
        if self.name == "F":
            return f_distribution.logsf(statistic, self.q, self.df)
        if self.name == "G":
            return chi2.logsf(self.q * statistic, self.q)
        tail = t_distribution(self.df).logsf if self.name == "t" else norm.logsf
        return np.log(2) + tail(np.abs(statistic)) if two_sided else tail(statistic)


def signed_root(squares: NDArray[Any]) -> NDArray[Any]:
    """Square roots that keep the sign."""
    return np.copysign(np.sqrt(np.abs(squares)), squares)


def with_tolerance(values: NDArray[Any], relative: float) -> NDArray[Any]:
    """The least value that counts as equal: rounding must not tell apart what is the same."""
    return values - relative * np.maximum(np.abs(values), 1)


def rearranged(columns: Float64, order: Int64, sign: NDArray[np.int8]) -> Float64:
    """Columns (n, c) whose product with data equals that of the columns with the rearranged data; as rows (c, n)."""
    rows = np.empty(columns.shape[::-1])
    rows[:, order] = (columns * sign[:, None]).T
    return rows
