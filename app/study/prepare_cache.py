"""Prepared files in the cache: each in a folder named by a hash of how it was made and of what it was made from."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import time
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from secrets import token_hex
from typing import Any, NamedTuple, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..grid import Grid
from ..io.files import writing
from ..io.write import plain_json
from ..problems import Finding, Problem
from ..settings import cache_folder

VERSION = 2  # of how things are prepared: another number makes other files
PREPARED = "prepared"  # folder within the cache
LARGEST_BYTES = 5_000_000_000
IN_USE_S = 3600.0  # a folder used within this time is not dropped: this process or another may still read it
TOUCH_S = 600.0
TEMPLATE_CODE, ALIGNED_CODE = 4, 2  # sform codes


class CacheProblem(Problem):
    """The cache cannot be written to: no fault of a scan, and nothing that can be done without one."""


class About(msgspec.Struct, frozen=True, omit_defaults=True):
    """What stands beside a prepared file.

    Attributes
    ----------
    file : str
    bytes : int
        Its size: a file that was cut short is made again.
    simulated : bool
    space : str or None
        Template.
    units : str
    parameters : mapping
    warnings : tuple of Finding
    inputs : tuple of str
        Files that it was made of.
    """

    file: str
    bytes: int = 0
    simulated: bool = msgspec.field(default=False, name="Simulated")
    space: str | None = msgspec.field(default=None, name="SpatialReference")
    units: str = msgspec.field(default="", name="Units")
    parameters: Mapping[str, Any] = msgspec.field(default_factory=dict[str, Any])
    warnings: tuple[Finding, ...] = ()
    inputs: tuple[str, ...] = ()


class Kept(NamedTuple):
    """A prepared file and what stands beside it."""

    path: Path
    about: About

    @property
    def key(self) -> str:
        """Of how it was made."""
        return self.path.parent.name


# Made on import, which one thread does: two that prepare the same type at once crash in msgspec.
_ABOUT = msgspec.json.Decoder(About)


def key_of(recipe: Any, inputs: Iterable[Path | None]) -> str:
    """Hash of a recipe and of the state of its input files (path, size, time of change)."""
    stamps = [stamp_of(path) for path in inputs if path is not None]
    text = plain_json({"version": VERSION, "recipe": recipe, "inputs": stamps})
    return hashlib.sha256(text).hexdigest()[:32]


def stamp_of(path: Path) -> tuple[str, int, int]:
    """Path, size and time of change; size -1 for a file that is not there."""
    try:
        found = path.stat()
    except OSError:
        return str(path.absolute()), -1, 0
    return str(path.absolute()), found.st_size, found.st_mtime_ns


def kept(key: str, name: str) -> Kept | None:
    """A prepared file, if it is there and whole; it counts as used now."""
    path = _folder() / key / name
    try:
        about = _ABOUT.decode(path.with_suffix(".json").read_bytes())
        if path.stat().st_size != about.bytes:
            return None
    except (OSError, msgspec.DecodeError):
        return None
    return Kept(path, about) if used_now(path) else None


def used_now(path: Path) -> bool:
    """Note that a prepared file is used, so that it is not dropped; False when it is gone."""
    try:
        if time.time() - path.parent.stat().st_mtime > TOUCH_S:
            os.utime(path.parent)
    except OSError:
        return False
    return path.exists()


def keep(key: str, content: bytes, about: About) -> Kept:
    """Write a prepared file and what stands beside it; the second only when the first is whole.

    Raises
    ------
    CacheProblem
        When the cache cannot be written to.
    """
    about = msgspec.structs.replace(about, bytes=len(content))
    try:
        folder = _folder() / key
        path = folder / about.file
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
        _put(path, content)
        _put(path.with_suffix(".json"), plain_json(about))
    except Problem as problem:
        raise CacheProblem(_folder(), problem.what, problem.todo) from problem
    return Kept(path, about)


def _put(path: Path, content: bytes) -> None:
    """In one move, without waiting for the disk: what a crash leaves behind is recognised by its size."""
    part = path.with_name(f".{path.name}-{token_hex(4)}.part")
    with writing(path):
        try:
            part.write_bytes(content)
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise


def trim(largest_bytes: int = LARGEST_BYTES) -> None:
    """Drop the folders that were not used for longest until the rest is small enough."""
    now = time.time()
    sizes: list[tuple[float, int, Path]] = []
    for folder in _folder().iterdir():
        try:
            size = sum(each.stat().st_size for each in folder.iterdir())
            sizes.append((folder.stat().st_mtime, size, folder))
        except OSError:
            continue
    total = sum(size for _, size, _ in sizes)
    for used, size, folder in sorted(sizes):
        if total <= largest_bytes or now - used < IN_USE_S:
            return
        for about in folder.glob("*.json"):  # first what says that the rest is whole
            about.unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        total -= size


def _folder() -> Path:
    folder = cache_folder() / PREPARED
    with writing(folder):
        folder.mkdir(exist_ok=True)
    return folder


def nifti(values: NDArray[np.float32], grid: Grid, space: str | None) -> bytes:
    """A map as an uncompressed NIfTI file."""
    shape, affine = grid.shape, tuple(grid.affine.ravel().tolist())
    return _header(shape, affine, space is not None) + np.asarray(values, "<f4").tobytes(order="F")


@lru_cache(maxsize=16)
def _header(shape: tuple[int, int, int], affine: tuple[float, ...], in_template: bool) -> bytes:
    from ..io.nib import Nifti1Header  # noqa: PLC0415 - slow to import

    grid = Grid(shape, np.array(affine).reshape(4, 4))
    header: Any = Nifti1Header(endianness="<")
    header["magic"] = b"n+1"
    header.set_data_dtype(np.dtype("<f4"))
    header.set_data_shape(shape)
    header.set_zooms(grid.zooms_mm)
    header.set_xyzt_units("mm", "sec")
    header["vox_offset"] = header.single_vox_offset
    header.set_sform(grid.affine, TEMPLATE_CODE if in_template else ALIGNED_CODE)
    return cast("bytes", header.binaryblock) + b"\0\0\0\0"


def packed(**arrays: NDArray[Any]) -> bytes:
    """Arrays as the bytes of an ``.npz`` file."""
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()
