"""The command line as tests use it, and small asymmetric files to use it on."""

from __future__ import annotations

import io
import json
import re
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import nibabel as nib
import numpy as np
from habena.app import cli
from numpy.typing import NDArray
from PIL import Image

ONE_SENTENCE = re.compile(r"habena: [^\n]+: [^\n]+; [^\n]+\n")
# unequal voxels, left-handed, off centre
AFFINE = np.array([[-4.0, 0, 0, 50], [0, 5, 0, -62], [0, 0, 6, -40], [0, 0, 0, 1]])
SHAPE = (26, 24, 16)


class Outcome(NamedTuple):
    """What a command did."""

    status: int
    out: str
    err: str


def habena(*words: object) -> Outcome:
    """Run a command in this process."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = cli.run([str(word) for word in words])
    return Outcome(status, out.getvalue(), err.getvalue())


def done(*words: object) -> Outcome:
    """A command that must succeed."""
    outcome = habena(*words)
    assert outcome.status == 0, outcome.err
    return outcome


def refused(*words: object) -> str:
    """What a command that must refuse says: one sentence on stderr, exit status 2, nothing on stdout."""
    outcome = habena(*words)
    assert outcome.status == 2
    assert outcome.out == ""
    assert ONE_SENTENCE.fullmatch(outcome.err), outcome.err
    return outcome.err


def document(*words: object) -> dict[str, Any]:
    """The one JSON document of a command that must succeed."""
    found = strict_json(done(*words, "--json").out)
    for finding in found["warnings"]:
        assert set(finding) == {"code", "where", "value", "message"}
    return found


def strict_json(text: str) -> dict[str, Any]:
    """JSON as the standard has it: no NaN, no infinity."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    return json.loads(text, parse_constant=refuse)


def write_image(
    path: Path, data: NDArray[Any], affine: NDArray[np.float64] = AFFINE, *, code: int = 4, tr_s: float = 2.0
) -> Path:
    """An image with an sform of this code and no qform; with code 0 it has neither."""
    image = nib.Nifti1Image(data, None)
    if code:
        image.set_sform(affine, code)
    image.header.set_zooms((*np.linalg.norm(affine[:3, :3], axis=0), *(() if data.ndim < 4 else (tr_s,))))
    image.header.set_xyzt_units("mm", "sec")
    nib.save(image, path)
    return path


def mm_of_voxels() -> NDArray[np.float64]:
    """World coordinates of every voxel, (*SHAPE, 3)."""
    ijk = np.stack(np.indices(SHAPE), axis=-1)
    return ijk @ AFFINE[:3, :3].T + AFFINE[:3, 3]


def blob(at_mm: tuple[float, float, float], radius_mm: float, height: float = 1.0) -> NDArray[np.float32]:
    """A ball of one value, 0 elsewhere."""
    near = np.linalg.norm(mm_of_voxels() - at_mm, axis=-1) <= radius_mm
    return np.where(near, height, 0).astype(np.float32)


def pixels(path: Path) -> NDArray[np.int64]:
    """A picture as (height, width, 3)."""
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"), dtype=np.int64)
