"""Decoders of JSON are made while modules are imported: msgspec prepares a type when it first decodes one, and crashes
when two threads do so at once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = [path for name in ("app", "resources", "widgets", "render", "stats") for path in (ROOT / name).rglob("*.py")]


@pytest.mark.parametrize("pattern", [r"msgspec\.json\.decode\(", r"msgspec\.convert\(", r"^\s+.*\bDecoder\("])
def test_no_type_is_prepared_when_it_is_first_needed(pattern):
    found = [path.name for path in SOURCES if re.search(pattern, path.read_text("utf-8"), re.MULTILINE)]
    assert found == []


def test_the_decoders_are_where_they_should_be():
    at_import = re.compile(r"^_\w+ = msgspec\.json\.Decoder\(", re.MULTILINE)
    made = {path.name for path in SOURCES if at_import.search(path.read_text("utf-8"))}
    assert made == {
        "atlases.py",
        "colours.py",
        "evidence.py",
        "finder.py",
        "kept.py",
        "model_question.py",
        "prepare_cache.py",
        "settings.py",
        "state.py",
    }
