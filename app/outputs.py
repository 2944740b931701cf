"""Places for results, looked at before any work is done for them."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from pathlib import Path

from .io.files import writing
from .problems import Problem


def refuse_place(path: Path, inputs: Iterable[Path]) -> None:
    """Refuse a place that a result cannot have; `replacing` finds the same later, but after the work.

    Parameters
    ----------
    path : Path
        File that is to be written.
    inputs : iterable of Path
        Files that must not be overwritten.

    Raises
    ------
    Problem
        It is a folder or one of the inputs, or its folder is missing or may not be written to.
    """
    if path.is_dir():
        raise Problem(path, "is a folder", "name a file in it")
    with writing(path):
        if not path.parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        if not os.access(path.parent, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    if path.exists() and any(each.exists() and path.samefile(each) for each in inputs):
        raise Problem(path, "is one of the inputs and would be overwritten", "choose another name for the result")
