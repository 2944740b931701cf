"""Columns that say the same thing."""

from __future__ import annotations

import numpy as np

from .arrays import Float64

# Smallest singular value, of columns of length 1, that is more than rounding.
INDEPENDENT = 1e-7


def dependent_columns(matrix: Float64) -> tuple[int, ...]:
    """Columns that take part in a linear dependence.

    The mean is taken out first where the columns span it, so that the size of a mean hides nothing.

    Parameters
    ----------
    matrix : (n, p) float64

    Returns
    -------
    tuple of int
        Empty when the matrix has full rank. One column alone is zero everywhere.
    """
    length = np.linalg.norm(matrix, axis=0)
    if not length.all():
        return (int(np.flatnonzero(length == 0)[0]),)
    constant = np.flatnonzero(np.ptp(matrix, axis=0) == 0)
    if not constant.size:
        return _null_columns(matrix / length)
    if constant.size > 1:
        return tuple(int(k) for k in constant)
    others = np.setdiff1d(np.arange(matrix.shape[1]), constant)
    centred = matrix[:, others] - matrix[:, others].mean(axis=0)
    spread = np.linalg.norm(centred, axis=0)
    flat = spread <= 1e-12 * length[others]  # rounding of a constant
    if flat.any():
        return (int(constant[0]), *(int(k) for k in others[flat]))
    # the mean takes part when the dependent columns, unscaled, do not cancel without it
    involved = _null_columns(centred / spread)
    if not involved:
        return ()
    columns = others[list(involved)]
    scaled = matrix[:, columns] / length[columns]
    without_mean = _null_columns(scaled)
    return tuple(int(k) for k in (columns if without_mean else sorted((*constant, *columns))))


def _null_columns(scaled: Float64) -> tuple[int, ...]:
    """Columns with a part in any null vector of columns of length 1."""
    if not scaled.size:
        return ()
    _, sizes, right = np.linalg.svd(scaled, full_matrices=True)
    values = np.zeros(scaled.shape[1])
    values[: len(sizes)] = sizes
    null = right[values <= INDEPENDENT]
    return tuple(int(k) for k in np.flatnonzero((np.abs(null) > 1e-6).any(axis=0)))
