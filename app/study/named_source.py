"""Whatever is said of a study's question names the study, not a prepared file in the cache."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

from msgspec.structs import replace

from ..problems import Finding, Problem
from ..settings import cache_folder
from .prepare_cache import PREPARED, CacheProblem


@contextmanager
def named(source: str) -> Generator[None]:
    """Name the source where a problem names a file that was prepared of it; the cache's own problems stand."""
    try:
        yield
    except CacheProblem:
        raise
    except Problem as refused:
        if not _is_prepared(refused.where):
            raise
        raise Problem(source, refused.what, refused.todo) from refused


def renamed(findings: Iterable[Finding], source: str) -> tuple[Finding, ...]:
    """The same for findings."""
    return tuple(replace(each, where=source) if _is_prepared(each.where) else each for each in findings)


def _is_prepared(where: str) -> bool:
    return Path(os.path.normpath(where)).is_relative_to(os.path.normpath(cache_folder() / PREPARED))
