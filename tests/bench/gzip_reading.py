"""Reading a compressed run."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import nibabel as nib
import numpy as np
from habena.app.io.volumes import open_volume

from ._data import SHAPE_2MM, affine
from ._report import Row
from ._timing import interleaved

TITLE = "Reading a .nii.gz of 179 MB unpacked (91 × 109 × 91 × 99, 16 bit)"
N_VOLUMES = 99
FASTER = 1.5


def rows() -> Iterator[Row]:
    """Beside nibabel and Python's gzip: all of it, and the first volume."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "run.nii.gz"
        nib.save(nib.Nifti1Image(_brain_like(), affine(2)), path)
        seconds, foreign = interleaved(
            {
                "ours": lambda: open_volume(path).load(),
                "nibabel": lambda: np.asanyarray(nib.load(path).dataobj.get_unscaled()),
                "Python's gzip": lambda: gzip.decompress(path.read_bytes()),
                "ours, first": lambda: open_volume(path).frame(),
                "nibabel, first": lambda: np.asanyarray(nib.load(path).dataobj[..., 0], np.float32),
            },
            rounds=5,
        )
    for peer in ("nibabel", "Python's gzip"):
        yield Row("all volumes", seconds["ours"], peer, seconds[peer], "peer", FASTER, foreign)
    yield Row("first volume", seconds["ours, first"], "nibabel", seconds["nibabel, first"], "peer", None, foreign)


def _brain_like() -> np.ndarray:
    """Noise of a scanner within a box, nothing around it: about 2.3 to 1 when packed."""
    run = np.zeros((*SHAPE_2MM, N_VOLUMES), np.int16, order="F")
    inside = run[10:-10, 12:-12]
    inside[...] = np.random.default_rng(0).normal(800, 60, inside.shape)
    return run
