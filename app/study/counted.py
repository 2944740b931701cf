"""Permutations counted once: kept on disk by what they were counted of, so that an answer opens again at once."""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .. import settings
from ..problems import silent

if TYPE_CHECKING:
    from ...stats.perm_counts import Counts
    from ..model_inference import Inferring
    from ..models import Inference

Report = Callable[[float], None]
VERSION = 1  # of what is kept
MOST_BYTES = 500_000_000  # of all that is kept; the oldest go first


def counted(ready: Inferring, inference: Inference, report: Report = silent) -> Counts:
    """All arrangements of a test, from disk where they were counted before."""
    path = _folder() / f"{key_of(ready, inference)}.npz"
    found = _read(path, ready)
    if found is None:
        found = ready.all(report)
        _keep(path, found)
    report(1.0)
    return found


def key_of(ready: Inferring, inference: Inference) -> str:
    """A digest of everything that the counts depend on: data, design, contrast, arrangements, corrections."""
    import msgspec  # noqa: PLC0415

    question = ready.question
    shuffling = question.shuffling
    said = (VERSION, inference, question.two_sided, ready.threshold, shuffling.kind, shuffling.block_mode)
    digest = blake2b(msgspec.json.encode(said), digest_size=20)
    arrays = (
        question.data,
        question.design,
        question.weights,
        question.voxelwise,
        question.variance_groups,
        question.searched,
        shuffling.blocks,
    )
    for array in arrays:
        _feed(digest, array)
    return digest.hexdigest()


def _feed(digest: Any, array: NDArray[Any] | None) -> None:
    if array is None:
        digest.update(b"none")
        return
    array = np.ascontiguousarray(array if array.dtype.kind in "fiub" else array.astype("U"))
    digest.update(f"{array.dtype.str}{array.shape}".encode())
    digest.update(array.tobytes())


def _folder() -> Path:
    folder = settings.cache_folder() / "permutations"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _read(path: Path, ready: Inferring) -> Counts | None:
    from ...stats.perm_counts import Counts  # noqa: PLC0415 - SciPy

    wanted = ready.test.nothing()
    try:
        with np.load(path, allow_pickle=False) as kept:
            found = Counts(
                kept["done"],
                {name: kept[f"exceed_{name}"] for name in wanted.exceed},
                {name: kept[f"largest_{name}"] for name in wanted.largest},
            )
        path.touch()
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile):  # not there, or half of it
        return None
    fits = all(found.exceed[name].shape == each.shape for name, each in wanted.exceed.items())
    return found if fits and found.done.size == ready.test.shuffling.count else None


def _keep(path: Path, counts: Counts) -> None:
    arrays: dict[str, Any] = {"done": counts.done}
    arrays |= {f"exceed_{name}": each for name, each in counts.exceed.items()}
    arrays |= {f"largest_{name}": each for name, each in counts.largest.items()}
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
        with os.fdopen(descriptor, "wb") as file:
            np.savez_compressed(file, **arrays)
        Path(temporary).replace(path)
        _drop_oldest(path.parent)
    except OSError:  # a full or read-only disk: it is counted again next time
        return


def _drop_oldest(folder: Path) -> None:
    files = sorted(folder.glob("*.npz"), key=lambda file: file.stat().st_mtime, reverse=True)
    total = 0
    for file in files:
        total += file.stat().st_size
        if total > MOST_BYTES:
            file.unlink(missing_ok=True)
