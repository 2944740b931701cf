"""What is odd about a study's people, sessions and scores."""

from __future__ import annotations

from ..problems import Finding
from .reading_order import When
from .values import Study


def check_people(study: Study, times: tuple[When, ...]) -> tuple[Finding, ...]:
    """All findings about people, sessions and scores."""
    return ()
