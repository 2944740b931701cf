"""The JSON file beside an image (BIDS)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ..problems import Problem
from .files import reading, regular_file, sibling
from .identify import stem

LARGEST_BYTES = 16 * 2**20
LARGEST_NUMBER = 1e300
Sidecar = Mapping[str, Any]
NONE: Sidecar = MappingProxyType({})


def read_sidecar(image: Path) -> Sidecar:
    """Content of the JSON file with an image's name; empty when there is none.

    BIDS would also inherit from files higher up; that needs the whole study and is done where one is read.

    Raises
    ------
    Problem
        When the file is there but is not a JSON object of sensible size.
    """
    path = sibling(image, stem(image) + ".json")
    if path is None or not path.is_file():
        return NONE
    if regular_file(path).size > LARGEST_BYTES:
        raise Problem(path, "is too large for a sidecar", f"remove it, or make it smaller than {LARGEST_BYTES} bytes")
    with reading(path):
        raw = path.read_bytes()
    try:
        content = json.loads(raw.decode("utf-8-sig"), parse_constant=lambda _: None)
    except (ValueError, RecursionError) as error:
        what = f"is not valid JSON ({_where(error)})"
        raise Problem(path, what, "correct it; until then its times and units are not used") from error
    if not isinstance(content, dict):
        raise Problem(path, "holds no JSON object", "correct it; until then its times and units are not used")
    return MappingProxyType(content)


def text(sidecar: Sidecar, key: str) -> str | None:
    """A value of the sidecar that should be text; None when it is absent or something else."""
    value = sidecar.get(key)
    return value if isinstance(value, str) and value else None


def number(sidecar: Sidecar, key: str) -> float | None:
    """A value of the sidecar that should be a number; None when it is absent or something else."""
    value = sidecar.get(key)
    return float(value) if value is not None and _is_number(value) else None


def numbers(sidecar: Sidecar, key: str) -> tuple[float, ...]:
    """A value of the sidecar that should be a list of numbers; empty when it is absent or something else."""
    values = sidecar.get(key, [])
    listed = values if isinstance(values, list) else [values]
    return tuple(float(value) for value in listed) if all(map(_is_number, listed)) else ()


def space_of(sidecar: Sidecar) -> str | None:
    """Template named by BIDS ``SpatialReference``, a name or a mapping of them; None for native references."""
    reference = sidecar.get("SpatialReference")
    if isinstance(reference, dict):
        reference = next((value for value in reference.values() if isinstance(value, str)), None)
    if not isinstance(reference, str) or reference.lower() in {"orig", "individual", "scanner", "native"}:
        return None
    looks_like_a_file = "/" in reference or "." in reference
    return None if looks_like_a_file else reference or None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LARGEST_NUMBER


def _where(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno}: {error.msg.lower()}"
    return "not UTF-8 text" if isinstance(error, UnicodeDecodeError) else "too deeply nested or malformed numbers"
