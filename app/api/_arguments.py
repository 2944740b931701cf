"""What the functions of `import habena` are given."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .app.recipes import Preparation

Path_ = str | os.PathLike[str]
Point = tuple[float, float, float]
Band = tuple[float, float]


def name_of(path: Path_ | None) -> str | None:
    """A path as text."""
    return None if path is None else os.fspath(path)


def listed(words: str | Sequence[str]) -> tuple[str, ...]:
    """Several words; one alone may be given as it is."""
    return (words,) if isinstance(words, str) else tuple(words)


def preparation_of(  # noqa: PLR0913, PLR0917 - the options of a run's preparation
    drop: int,
    fwhm: float,
    detrend: int,
    band: Band | None,
    confounds: Path_ | None,
    columns: str | Sequence[str],
    censor: float | None,
    brain: Path_ | None,
) -> Preparation:
    """What is done to a run before it is correlated."""
    from .app.recipes import Preparation  # noqa: PLC0415 - importing habena stays quick
    from .app.runs import columns_named  # noqa: PLC0415

    table = name_of(confounds)
    removed = columns_named(table, columns if isinstance(columns, str) else ",".join(columns))
    return Preparation(drop, fwhm, detrend, band, table, removed, censor, name_of(brain))
