"""Questions about the full simulated PET study, asked on the command line with an empty cache of prepared images."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from habena.app.simulated.demo import make_demo
from habena.app.study.reading import read_study

from ._report import Row
from ._timing import quietest

TITLE = "A study of 83 people, 114 PET scans: from the folder to the answer"
PROGRAM = [sys.executable, "-c", "from habena.app.cli import main; main()", "ask"]
QUESTIONS = (
    ("change, uncorrected, with tables, figure and report", ("change",), 5.0),
    ("change, 1,000 permutations, TFCE", ("change", "--permutations", "1000", "--correction", "tfce"), 120.0),
    ("overlap, 500 permutations", ("overlap", "--permutations", "500"), None),
)


def rows() -> Iterator[Row]:
    """Each task beside its limit."""
    with TemporaryDirectory(prefix="habena-study-") as folder:
        study = make_demo(Path(folder) / "demo", size="full").ampar_pet
        (read_s,), foreign = quietest(lambda: (_read_seconds(study),), tries=3)
        yield Row("read the study", read_s, "1 s", 1.0, "limit", 1.0, foreign)
        for number, (task, words, limit) in enumerate(QUESTIONS):
            at = Path(folder) / str(number)
            (asked_s,), foreign = quietest(lambda at=at, words=words: (_asked_seconds(study, words, at),), tries=1)
            beside = "" if limit is None else f"{limit:.0f} s"
            yield Row(f"habena ask {task}", asked_s, beside, limit, "limit", limit and 1.0, foreign)


def _read_seconds(study: Path) -> float:
    began = time.perf_counter()
    read_study(study)
    return time.perf_counter() - began


def _asked_seconds(study: Path, words: tuple[str, ...], at: Path) -> float:
    """A process of its own; nothing of the study has been prepared before."""
    at.mkdir()
    environment = {**os.environ, "XDG_CACHE_HOME": str(at / "cache")}
    began = time.perf_counter()
    given = [*PROGRAM, str(study), *words, "-o", str(at / "answer")]
    subprocess.run(given, env=environment, check=True, capture_output=True)
    return time.perf_counter() - began
