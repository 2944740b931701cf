"""Entries of ``habena info`` for files without a grid of voxels."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from ..problems import Finding
from .info import FileInfo
from .surface_table import NO_TIMES
from .times import Timing


class Described(NamedTuple):
    """What such a file has to tell.

    Attributes
    ----------
    format : str
        With what is in the file.
    dtype : str
    shape : tuple of int
        Vertices or grayordinates first, then frames or coordinates.
    frames : int
    space : str or None
        Template, None when unknown or native.
    timing : Timing
    findings : tuple of Finding
    """

    format: str
    dtype: str
    shape: tuple[int, ...]
    frames: int = 1
    space: str | None = None
    timing: Timing = NO_TIMES
    findings: tuple[Finding, ...] = ()


def entry(path: Path, told: Described) -> FileInfo:
    """Entry with null for everything that only voxels have."""
    return FileInfo(
        path=str(path),
        format=told.format,
        shape=told.shape,
        dtype=told.dtype,
        zooms_mm=None,
        tr_s=told.timing.tr_s,
        affine=None,
        axcodes=None,
        determinant=None,
        sform_code=None,
        qform_code=None,
        affine_source=None,
        disagreement_mm=None,
        disagreement_deg=None,
        space=told.space,
        frames=told.frames,
        warnings=told.findings,
    )


def about(file_format: str, what: str, mesh: str | None) -> str:
    """Format with what is in the file, which no other field of an entry says."""
    return f"{file_format} ({what}{f', as {mesh} has' if mesh else ''})"
