"""Files as such: do they exist, may they be read, have they changed."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO, NamedTuple

from ..problems import Problem

NEAR_NAMES_SEARCHED = 5000
COPY_AGAIN = "copy or download it again"
ASK_FOR_RIGHTS = "ask its owner for the right to read it, or copy it to a folder of yours"


class Stamp(NamedTuple):
    """What tells one version of a file from the next."""

    size: int
    modified_ns: int


def regular_file(path: Path) -> Stamp:
    """Stamp of a file that exists, is a plain file and is not empty.

    Raises
    ------
    Problem
        With near names when it does not exist; for pipes and devices, which could block for ever; for zero bytes.
    """
    with reading(path):
        found = path.stat()
    if stat.S_ISDIR(found.st_mode):
        raise Problem(path, "is a folder, not a file", "name a file in it")
    if not stat.S_ISREG(found.st_mode):
        raise Problem(path, "is not a plain file", "copy what it delivers into a file first")
    if found.st_size == 0:
        raise Problem(path, "is empty (zero bytes)", COPY_AGAIN)
    return Stamp(found.st_size, found.st_mtime_ns)


@contextmanager
def reading(path: Path) -> Generator[None]:
    """Turn what the system says about a file into a Problem."""
    try:
        yield
    except FileNotFoundError as error:
        raise Problem(path, "does not exist", _suggestion(path)) from error
    except PermissionError as error:
        raise Problem(path, "may not be read: permission denied", ASK_FOR_RIGHTS) from error
    except OSError as error:
        raise Problem(path, f"cannot be read: {_reason(error)}", "check the disk or network it lies on") from error


@contextmanager
def writing(path: Path) -> Generator[None]:
    """Turn what the system says while writing a file into a Problem."""
    try:
        yield
    except FileNotFoundError as error:
        raise Problem(
            path, f"cannot be written: the folder {path.parent} does not exist", "make the folder first"
        ) from error
    except PermissionError as error:
        raise Problem(path, "cannot be written: permission denied", "choose a folder of yours") from error
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        todo = "make room there, or choose another folder" if full else "choose another folder"
        raise Problem(path, f"cannot be written: {_reason(error)}", todo) from error


@contextmanager
def replacing(path: Path) -> Generator[BinaryIO]:
    """Write a file that appears whole or not at all: beside its place first, then moved there.

    Raises
    ------
    Problem
        When it cannot be written.
    """
    part = path.with_name(f".{path.name[:80]}-{token_hex(4)}.part")
    with writing(path):
        try:
            with part.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise


def still_there(path: Path) -> None:
    """Make sure that a file which was opened before has not vanished.

    Raises
    ------
    Problem
        When it has.
    """
    if not path.exists():
        raise Problem(path, "is no longer there", "put it back, or close the image")


def unchanged(path: Path, descriptor: int, stamp: Stamp) -> None:
    """Make sure that an opened file is still the one whose header was read.

    Raises
    ------
    Problem
        When it was cut short or rewritten in the meantime.
    """
    now = os.fstat(descriptor)
    if now.st_size < stamp.size:
        what = f"was cut short while it was open ({now.st_size:,} of {stamp.size:,} bytes are left)"
        raise Problem(path, what, "restore the file and open it again")
    if (now.st_size, now.st_mtime_ns) != stamp:
        raise Problem(path, "was changed by another program while it was open", "open it again")


def sibling(path: Path, *names: str) -> Path | None:
    """First of several names that exists in a file's folder, whatever their upper and lower case."""
    for name in names:
        candidate = path.with_name(name)
        if candidate.exists():
            return candidate
    wanted = [name.lower() for name in names]
    with reading(path.parent):
        present = {found.name.lower(): found.name for found in path.parent.iterdir()}
    return next((path.with_name(present[name]) for name in wanted if name in present), None)


def _suggestion(path: Path) -> str:
    if not path.parent.is_dir():
        return f"check the path: there is no folder {path.parent}"
    with os.scandir(path.parent) as entries:
        names = [entry.name for entry in islice(entries, NEAR_NAMES_SEARCHED)]
    near = get_close_matches(path.name, names, n=3)
    return f"did you mean {' or '.join(near)}?" if near else "check the name"


def _reason(error: OSError) -> str:
    return (error.strerror or str(error) or type(error).__name__).lower()
