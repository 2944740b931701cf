"""Values by place and frame, whatever the place is: a vertex, a voxel or a parcel."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .times import Timing

#: Of a single frame, or of frames that are no series in time.
NO_TIMES = Timing(None, None, ())


class Label(NamedTuple):
    """One entry of a label table: the value that stands for it, its name, and its colour (0 to 1)."""

    key: int
    name: str
    rgba: tuple[float, float, float, float]


def _nothing() -> None:
    pass


@dataclass(frozen=True, eq=False)
class ValueTable:
    """Values of `rows` places in `frames` frames, in memory or mapped from a file.

    Attributes
    ----------
    values : (rows, frames) array of any number type, read-only
        As stored.
    names : tuple of str
        Name of each frame ("map"), empty where the file gives none.
    labels : tuple of tuples of Label
        One table for each frame of a label file; empty when the values are numbers.
    slope, intercept : float
        Stored values times slope plus intercept are the values.
    guard : callable
        Called before mapped values are touched; raises a Problem when the file was cut short meanwhile.
    """

    values: NDArray[Any]
    names: tuple[str, ...]
    labels: tuple[tuple[Label, ...], ...] = ()
    slope: float = 1.0
    intercept: float = 0.0
    guard: Callable[[], None] = _nothing

    @property
    def n_frames(self) -> int:
        """Number of frames, at least 1."""
        return self.values.shape[1]

    def frame(self, index: int) -> NDArray[np.float32]:
        """Value of every row in one frame, (rows,), NaN where it is not finite."""
        self.guard()
        return self._real(self.values[:, index])

    def series(self, row: int) -> NDArray[np.float32]:
        """Value of one row in every frame, (frames,), NaN where it is not finite."""
        self.guard()
        return self._real(self.values[row])

    def _real(self, stored: NDArray[Any]) -> NDArray[np.float32]:
        with np.errstate(over="ignore", invalid="ignore"):
            if (self.slope, self.intercept) != (1.0, 0.0):
                stored = stored.astype(np.float64) * self.slope + self.intercept
            real = stored.astype(np.float32)
        real[~np.isfinite(real)] = np.nan
        return real


def spread(values: NDArray[np.float32], rows: NDArray[np.int32]) -> NDArray[np.float32]:
    """Values of rows at the places that they stand for, shaped as `rows`; NaN where a place has row -1.

    Fortran order, read-only.
    """
    placed = np.append(values, np.float32(np.nan))[rows.ravel(order="F")].reshape(rows.shape, order="F")
    placed.flags.writeable = False
    return placed
