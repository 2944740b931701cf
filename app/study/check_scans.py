"""What is odd about a study's scans."""

from __future__ import annotations

from collections.abc import Sequence

from ..problems import Finding
from .reading_scans import Imaged
from .values import Study


def check_scans(study: Study, imaged: Sequence[Imaged]) -> tuple[Finding, ...]:
    """All findings about scans."""
    return ()
