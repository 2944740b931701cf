"""What the plot of a voxel shows: its scans, means with their intervals, and both sessions of each person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .numbers import format_number

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class VoxelBand:
    """The 95 % confidence band of the fitted line, (k,) each."""

    at: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, eq=False)
class VoxelMean:
    """Means of some people with their 95 % intervals, at one place or at each session; (k,) each.

    ``kind`` is the number of their group, ``n`` how many they are.
    """

    kind: int
    n: int
    at: Floats
    mean: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, eq=False)
class VoxelPair:
    """Both sessions of each person.

    Attributes
    ----------
    title, y_title : str
    sessions : (str, str)
    values : (n, 2) float64
        In the order of the people of the `VoxelData`; NaN where a session is missing.
    means : tuple of VoxelMean
        One of each group.
    """

    title: str
    y_title: str
    sessions: tuple[str, str]
    values: Floats
    means: tuple[VoxelMean, ...]


@dataclass(frozen=True, eq=False)
class VoxelData:
    """The scans of one voxel, vertex or region.

    Attributes
    ----------
    title : str
        Where it is, and its statistic.
    x, y : (n,) float64
        Tested regressor and data, both without what else the model explains.
    x_title, y_title : str
    names : tuple of str
        As they may be seen.
    line : (float, float)
        Intercept and slope of the fit.
    groups : tuple of str
        Names of the two groups of x = 0 and x = 1; empty for a regressor of numbers.
    dfbetas, cook, t_without : (n,) float64
        Of each scan; NaN where there is none.
    stands_out : (n,) bool
        Scans that are worth a look.
    summary : str
        The most influential one, in words.
    keys : tuple of str
        What signals carry instead of names; empty for the names themselves.
    kinds : tuple of str
        Groups that points have the shape and colour of; empty for none.
    kind_of : (n,) tuple of int
        Which; empty without `kinds`.
    band : VoxelBand or None
    means : tuple of VoxelMean
        Of the groups of the horizontal axis.
    note : str
        What must be said of the place.
    pair : VoxelPair or None
        Where both sessions are asked for.
    """

    title: str
    x: Floats
    y: Floats
    x_title: str
    y_title: str
    names: tuple[str, ...]
    line: tuple[float, float]
    groups: tuple[str, ...]
    dfbetas: Floats
    cook: Floats
    t_without: Floats
    stands_out: NDArray[np.bool_]
    summary: str
    keys: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    kind_of: tuple[int, ...] = ()
    band: VoxelBand | None = None
    means: tuple[VoxelMean, ...] = ()
    note: str = ""
    pair: VoxelPair | None = None

    def key(self, n: int) -> str:
        """What signals call a scan."""
        return (self.keys or self.names)[n]

    def places_of(self, keys: Iterable[str]) -> tuple[int, ...]:
        """Scans of some people."""
        wanted = frozenset(keys)
        return tuple(n for n, key in enumerate(self.keys or self.names) if key in wanted)

    def text_of(self, n: int) -> str:
        """One scan in words."""
        who = self.names[n] + (f" ({self.kinds[self.kind_of[n]]})" if self.kinds else "")
        if self.pair is not None:
            sessions = zip(self.pair.sessions, self.pair.values[n].tolist(), strict=True)
            return f"{who}: " + ", ".join(f"{session} {format_number(value)}" for session, value in sessions)
        text = f"{who}: {format_number(float(self.y[n]))}"
        if np.isfinite(self.cook[n]):
            text += f", Cook's distance {format_number(float(self.cook[n]))}"
        if np.isfinite(self.dfbetas[n]):
            text += f", DFBETAS {format_number(float(self.dfbetas[n]))}"
            text += f", t {format_number(float(self.t_without[n]))} without"
        return text

    def tsv(self) -> str:
        """All numbers of the plot as tab-separated text, in the order of names, below the title as a comment."""
        columns: dict[str, Iterable[object]] = {"name": self.names}
        if self.kinds:
            columns["group"] = [self.kinds[n] for n in self.kind_of]
        columns |= {self.x_title or "x": self.x, self.y_title or "y": self.y}
        columns |= {"dfbetas": self.dfbetas, "cook": self.cook, "t_without": self.t_without}
        if self.pair is not None:
            first, second = (f"{self.pair.y_title}, {session}" for session in self.pair.sessions)
            columns |= {first: self.pair.values[:, 0], second: self.pair.values[:, 1]}
        lines = ["\t".join(columns)]
        rows = ["\t".join(map(_cell, row)) for row in zip(*columns.values(), strict=True)]
        lines += [rows[n] for n in sorted(range(len(rows)), key=lambda n: self.names[n])]
        about = [f"# {text}" for text in (self.title, self.note) if text]
        return "\n".join([*about, *lines]) + "\n"


def _cell(value: object) -> str:
    if isinstance(value, str):
        return value
    number = float(value)  # pyright: ignore[reportArgumentType] - of an array of numbers
    return f"{number:.9g}" if np.isfinite(number) else "n/a"
