"""How an image's numbers lie in its file, and what they mean: the common ground of all formats."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..problems import Finding, Problem
from .files import Stamp
from .identify import Identity
from .space import Placement
from .times import FrameTimes, Step

Raw = NDArray[Any]
Reader = Callable[[int], Raw]
Report = Callable[[float], None]
Voxel = tuple[int, int, int]
VolumeKind = Literal["scalar", "rgb", "complex"]

WRITE_AGAIN = "write it again with the program that made it"
LARGEST_FILE_BYTES = 2**60
MOST_FRAMES = 10**6


@dataclass(frozen=True, eq=False)
class Layout:
    """Where every frame's bytes are.

    Attributes
    ----------
    path : Path
        File with the voxels.
    stamp : Stamp
        Its size and time when the header was read.
    compressed : bool
        Whether it is a gzip stream; offsets then count unpacked bytes.
    dtype : dtype
        As stored, with its byte order.
    shape : (int, int, int)
        Voxels of a frame, the first axis fastest.
    offsets : (n_frames, n_pieces) int64
        Where each frame's pieces start: one piece, or one per slice (PAR/REC).
    flips : tuple of bool
        Axes that are stored backwards (ECAT).
    """

    path: Path
    stamp: Stamp
    compressed: bool
    dtype: np.dtype[Any]
    shape: tuple[int, int, int]
    offsets: NDArray[np.int64]
    flips: tuple[bool, bool, bool] = (False, False, False)

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return int(self.offsets.shape[0])

    @cached_property
    def frame_bytes(self) -> int:
        """Bytes of one frame as stored."""
        return prod(self.shape) * self.dtype.itemsize

    @cached_property
    def piece_bytes(self) -> int:
        """Bytes of one piece of a frame."""
        return self.frame_bytes // int(self.offsets.shape[1])

    @cached_property
    def end(self) -> int:
        """First byte after the last voxel."""
        return int(self.offsets.max()) + self.piece_bytes


@dataclass(frozen=True, eq=False)
class Scaling:
    """``value = slope * stored + intercept``, per frame and, where the format has it, per slice.

    Attributes
    ----------
    slope, intercept : (1 or n_frames, 1 or nz) float64
    """

    slope: NDArray[np.float64]
    intercept: NDArray[np.float64]

    @cached_property
    def is_identity(self) -> bool:
        """Whether the stored numbers are the values."""
        return bool(np.all(self.slope == 1) and np.all(self.intercept == 0))

    def of_frame(self, index: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Slopes and intercepts of a frame, each (1 or nz,)."""
        return self.slope[min(index, len(self.slope) - 1)], self.intercept[min(index, len(self.intercept) - 1)]


def scaling(slope: object = 1.0, intercept: object = 0.0) -> Scaling:
    """Scaling from single numbers or arrays that broadcast to (frames, slices)."""
    both = np.broadcast_arrays(np.atleast_2d(np.asarray(slope, float)), np.atleast_2d(np.asarray(intercept, float)))
    return Scaling(*both)


@dataclass(frozen=True, eq=False)
class Header:
    """What a file's header says, in one vocabulary for all formats.

    Attributes
    ----------
    format : str
    shape : tuple of int
        As stored, with all dimensions.
    dtype : str
        Name of the stored type, such as ``int16`` or ``rgb24``.
    kind : VolumeKind
    placement : Placement
    step : Step
        Distance of frames in time.
    voxels : Layout or Reader
        Where the bytes are; for formats that only a library can read, how to get a frame's values.
    scaling : Scaling
    frame_times : FrameTimes or None
        Times that the format itself stores (ECAT).
    frame_names : tuple of str
        Names of the frames, where the format has them (AFNI).
    unit, statistic, description : str
        Unit of the values, statistic such as ``t(18)``, and free text; empty when not stated.
    findings : tuple of Finding
    """

    format: str
    shape: tuple[int, ...]
    dtype: str
    kind: VolumeKind
    placement: Placement
    step: Step
    voxels: Layout | Reader
    scaling: Scaling
    frame_times: FrameTimes | None = None
    frame_names: tuple[str, ...] = ()
    unit: str = ""
    statistic: str = ""
    description: str = ""
    findings: tuple[Finding, ...] = ()

    @property
    def n_frames(self) -> int:
        """Frames; dimensions past the fourth are strung together."""
        return prod(self.shape[3:])


def three(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """First three dimensions of a shape, 1 where there are fewer."""
    x, y, z = (*shape, 1, 1, 1)[:3]
    return x, y, z


def in_a_row(found: Identity, dtype: np.dtype[Any], shape: tuple[int, ...], offset: int) -> Layout:
    """Layout of a file whose voxels follow one another from an offset on, the first axis fastest.

    Raises
    ------
    Problem
        When a dimension is below 1, or there are more bytes than any file has.
    """
    if min(shape) < 1:
        raise Problem(found.path, f"has a dimension of {min(shape)} voxels", WRITE_AGAIN)
    frame_bytes, frames = prod(shape[:3]) * dtype.itemsize, prod(shape[3:])
    if offset + frame_bytes * frames > LARGEST_FILE_BYTES or frames > MOST_FRAMES:
        raise Problem(found.path, f"promises {'x'.join(map(str, shape))} voxels, which no file holds", WRITE_AGAIN)
    offsets = offset + frame_bytes * np.arange(frames, dtype=np.int64)[:, None]
    return Layout(found.data, found.stamp, found.compressed, dtype, three(shape), offsets)


def unpacked_as(layout: Layout, path: Path, stamp: Stamp) -> Layout:
    """Layout of a file that holds nothing but the voxels of a layout in a row."""
    return replace(layout, path=path, stamp=stamp, compressed=False, offsets=layout.offsets - layout.offsets[0, 0])


def zooms_of(affine: NDArray[np.float64]) -> tuple[float, float, float]:
    """Voxel edges that an affine implies, in its unit."""
    x, y, z = np.sqrt((affine[:3, :3] ** 2).sum(axis=0))
    return float(x), float(y), float(z)
