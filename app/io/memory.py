"""How much memory there is, and saying so before it is promised."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..problems import Problem

SHARE_TO_USE = 0.9  # of what is free; the rest is for everything else that the program does meanwhile
TOO_SMALL_TO_ASK = 64 * 2**20
CGROUP = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")


class DoesNotFit(Problem):
    """An image that is larger than the free memory.

    Attributes
    ----------
    needed_bytes, available_bytes : int
        What it takes, and what is there.
    """

    def __init__(self, where: str | Path, needed_bytes: int, available_bytes: int) -> None:
        super().__init__(
            where,
            f"needs {in_words(needed_bytes)} of memory and {in_words(available_bytes)} are free",
            "close other images or programs, or unpack it to disk and read it from there",
        )
        self.needed_bytes = needed_bytes
        self.available_bytes = available_bytes


def require(where: Path, needed_bytes: int) -> None:
    """Make sure that so many bytes can be allocated.

    Raises
    ------
    DoesNotFit
        When they cannot.
    """
    if needed_bytes <= TOO_SMALL_TO_ASK:
        return
    available = available_bytes()
    if needed_bytes > SHARE_TO_USE * available:
        raise DoesNotFit(where, needed_bytes, available)


def allocate(where: Path, count: int) -> NDArray[np.uint8]:
    """Uninitialised bytes, (count,).

    Raises
    ------
    DoesNotFit
        When there is not so much memory.
    """
    require(where, count)
    try:
        return np.empty(count, np.uint8)
    except (MemoryError, ValueError) as error:
        raise DoesNotFit(where, count, available_bytes()) from error


def available_bytes() -> int:
    """Memory that can be taken now without swapping, within the limit of a container or batch job."""
    import psutil  # noqa: PLC0415 - 15 ms, needed for large images only

    return min(int(psutil.virtual_memory().available), _left_in_group())


def in_words(count: int) -> str:
    """A number of bytes for people, such as ``1.4 GB`` (10^9)."""
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.0f} PB"


def _left_in_group() -> int:
    """Memory left in this process's Linux control group; endless where there is no limit."""
    try:
        name = next(
            line.split(":", 2)[2].strip()
            for line in OWN_GROUPS.read_text("utf-8").splitlines()
            if line.startswith("0::")
        )
        folder = CGROUP / name.lstrip("/")
        limit = (folder / "memory.max").read_text("utf-8").strip()
        if limit == "max":
            return 2**63
        used = int((folder / "memory.current").read_text("utf-8"))
        pairs = (line.split() for line in (folder / "memory.stat").read_text("utf-8").splitlines())
        cache = next((int(value) for key, value in pairs if key == "inactive_file"), 0)
    except (OSError, StopIteration, ValueError):  # not Linux, an older group layout, or no group at all
        return 2**63
    return max(0, int(limit) - used + cache)
