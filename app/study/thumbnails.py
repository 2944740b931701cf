"""Small pictures of scans: one axial slice, grey, kept in the cache."""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..problems import Problem
from ..settings import cache_folder

SIDE = 48
_VERSION = 1
_HEIGHT = 0.55  # of the slice, from the lowest voxel: above the ears, through the thalamus
_SHARES = (2.0, 99.5)  # percentiles of what is not background that become black and white

Grey = NDArray[np.uint8]


def thumbnail(path: Path) -> Grey:
    """An axial slice, (SIDE, SIDE) uint8, from above with the person's left on the left and the front up.

    Raises
    ------
    Problem
        When the file has no picture.
    """
    kept = _kept(path)
    with suppress(OSError, ValueError):
        if kept.exists():
            picture = np.load(kept, allow_pickle=False)
            if picture.shape == (SIDE, SIDE) and picture.dtype == np.uint8:
                return picture
    picture = _drawn(path)
    with suppress(OSError):  # a cache that is full or read-only costs time, nothing else
        kept.parent.mkdir(parents=True, exist_ok=True)
        part = kept.with_suffix(".part.npy")
        np.save(part, picture, allow_pickle=False)
        part.replace(kept)
    return picture


def _kept(path: Path) -> Path:
    try:
        found = path.stat()
    except OSError as error:
        raise Problem(path, "cannot be read", "look whether it is still there") from error
    about = f"{_VERSION} {path.absolute()} {found.st_size} {found.st_mtime_ns}"
    return cache_folder() / "thumbnails" / f"{sha256(about.encode()).hexdigest()[:32]}.npy"


def _drawn(path: Path) -> Grey:
    from ..io.volumes import open_volume  # noqa: PLC0415 - formats only when needed

    image = open_volume(path)
    grid = image.grid
    values = image.frame(0)
    low, high = (np.array(corner) for corner in grid.bounds_mm)
    size = float(max((high - low)[:2]))
    middle = (low + high) / 2
    steps = (np.arange(SIDE) + 0.5) / SIDE - 0.5
    x, y = np.meshgrid(middle[0] + size * steps, middle[1] - size * steps)
    z = low[2] + _HEIGHT * (high[2] - low[2])
    places = np.stack([x, y, np.full_like(x, z), np.ones_like(x)])
    voxels = np.rint(np.einsum("ij,jkl->ikl", grid.inverse[:3], places)).astype(np.int64)
    shape = np.array(values.shape[:3])[:, None, None]
    inside = ((voxels >= 0) & (voxels < shape)).all(axis=0)
    picture = np.zeros((SIDE, SIDE))
    picture[inside] = np.nan_to_num(values[tuple(voxels[:, inside])])
    return _grey(picture)


def _grey(picture: NDArray[np.float64]) -> Grey:
    shown = picture[picture > picture.min()]
    black, white = np.percentile(shown, _SHARES) if shown.size else (0.0, 1.0)
    black = min(black, 0.0) if picture.min() >= 0 else black
    return np.asarray(255 * np.clip((picture - black) / ((white - black) or 1.0), 0, 1), np.uint8)
