"""Which files an answer was computed from: names without people, sizes and hashes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..io.write import sha256
from .veil import Veil

Report = Callable[[float], None]


def inputs_of(paths: Sequence[Path], veil: Veil, report: Report) -> list[dict[str, Any]]:
    """Name, size and SHA-256 of every input, each once, in the order given."""
    files = list(dict.fromkeys(paths))
    found: list[dict[str, Any]] = []
    for k, path in enumerate(files):
        report(k / len(files))
        found.append({"name": veil.text(path.name), "bytes": path.stat().st_size, "sha256": sha256(path)})
    return found
