"""The command `habena study`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from ..console import Progress, print_json, print_text, print_warnings
from ..problems import Finding
from .options import as_json

if TYPE_CHECKING:
    from ..study.values import Study

BLINDED = "The study is blinded: numbers by arm are left out, and people, sessions and arms are not named."


@click.command()
@click.argument("folder", metavar="DIR")
@as_json
def study(folder: str, as_json: bool) -> None:
    """Read a study and say what is in it, what is missing, and what can be asked of it.

    DIR is a BIDS folder (raw data, derivatives or both), or a plain table with columns for files. Nothing is
    written into it. Of a study that is blinded in the window nothing is told by arm.
    """
    from ..study.planning import possible_questions  # noqa: PLC0415
    from ..study.reading import read_study  # noqa: PLC0415
    from ..study.summary import in_text, summary  # noqa: PLC0415

    with Progress("Reading") as report:
        found = read_study(folder, report)
    shown = _shown(found)
    told = summary(found, blinded=shown is not None)
    possible = possible_questions(found)
    questions = [{"kind": each.kind, "possible": each.possible, "why": (shown or str)(each.why)} for each in possible]
    findings = found.findings if shown is None else _hidden(found, shown)
    if as_json:
        print_json({**told, "questions": questions, "warnings": findings})
        return
    print_warnings(findings)
    print_text(in_text(told, questions))


def _shown(study: Study) -> Callable[[str], str] | None:
    """How texts of a blinded study are shown; None where it is not blinded."""
    from ..study.blinding import blinding_of  # noqa: PLC0415
    from ..study.blinding_kept import kept_blinding  # noqa: PLC0415

    kept = kept_blinding(study.folder)
    return blinding_of(study, kept).shown_text if kept is not None and kept.on else None


def _hidden(study: Study, shown: Callable[[str], str]) -> tuple[Finding, ...]:
    """Findings about nobody by name, and that something is hidden."""
    told = (
        replace(
            each,
            where=shown(each.where),
            value=shown(each.value) if isinstance(each.value, str) else each.value,
            message=shown(each.message),
        )
        for each in study.findings
    )
    return (Finding("blinded", study.name, None, BLINDED), *told)
