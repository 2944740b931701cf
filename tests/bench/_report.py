"""What a bench has to say, as a table."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Literal, NamedTuple

import numba
import numpy as np
import psutil
import scipy
from habena.stats.threads import workers

INTRODUCTION = (
    "Written by `make bench`. Medians of interleaved calls in one run; only the ratios count. A limit is kept to "
    "(ratio = ours / limit), a peer is passed (ratio = peer / ours). "
    "“Others busy” is how many processors other programs used meanwhile."
)
HEAD = ("task", "ours", "beside", "theirs", "ratio", "goal", "met", "others busy")


class Row(NamedTuple):
    """One task beside one limit or peer.

    Attributes
    ----------
    task : str
    ours_s : float or None
    beside : str
        The limit or peer.
    theirs_s : float or None
        As `ours_s` None when it is not installed: not measured, never a number from elsewhere.
    kind : "limit" or "peer"
        A limit is to be kept to: ratio = ours / theirs, at most `goal`. A peer is to be passed: ratio = theirs / ours,
        at least `goal`.
    goal : float or None
    foreign_cores : float
        Processors that others used meanwhile.
    """

    task: str
    ours_s: float | None
    beside: str
    theirs_s: float | None
    kind: Literal["limit", "peer"]
    goal: float | None
    foreign_cores: float

    @property
    def ratio(self) -> float | None:
        """Ours by theirs for a limit, theirs by ours for a peer."""
        if self.ours_s is None or self.theirs_s is None:
            return None
        return self.ours_s / self.theirs_s if self.kind == "limit" else self.theirs_s / self.ours_s

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None without a goal or a measurement."""
        if self.ratio is None or self.goal is None:
            return None
        return self.ratio <= self.goal if self.kind == "limit" else self.ratio >= self.goal


def cells(row: Row) -> tuple[str, ...]:
    """A row as text."""
    sign = "≤" if row.kind == "limit" else "≥"
    return (
        row.task,
        _duration(row.ours_s),
        row.beside,
        _duration(row.theirs_s),
        "" if row.ratio is None else f"{row.ratio:.3g}",
        "" if row.goal is None else f"{sign} {row.goal:g}",
        {True: "yes", False: "no", None: ""}[row.met],
        f"{row.foreign_cores:.2f}",
    )


def plain_table(rows: Sequence[Row]) -> str:
    """Aligned columns for a terminal."""
    table = [HEAD, *map(cells, rows)]
    widths = [max(len(line[column]) for line in table) for column in range(len(HEAD))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in table)


def markdown(sections: Sequence[tuple[str, Sequence[Row]]]) -> str:
    """The whole report."""
    lines = [
        "# Speed",
        "",
        INTRODUCTION,
        "",
        machine(),
        "",
    ]
    for title, rows in sections:
        lines += [f"## {title}", "", _markdown_row(HEAD), _markdown_row(["---"] * len(HEAD))]
        lines += [_markdown_row(cells(row)) for row in rows]
        lines.append("")
    return "\n".join(lines)


def machine() -> str:
    """Processor, memory and versions, in one line."""
    memory_gb = psutil.virtual_memory().total / 2**30
    versions = f"Python {platform.python_version()}, NumPy {np.__version__}, SciPy {scipy.__version__}"
    return (
        f"{_processor()}, {workers()} cores, "
        f"{memory_gb:.0f} GB, {platform.system()}; {versions}, Numba {numba.__version__}; {date.today().isoformat()}"
    )


def _processor() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "not measured"
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1e3 * seconds:.2f} ms"


def _markdown_row(cells_: Sequence[str]) -> str:
    return f"| {' | '.join(cells_)} |"
