"""The command `habena study`."""

from __future__ import annotations

import click

from ..console import Progress, print_json, print_text, print_warnings
from .options import as_json


@click.command()
@click.argument("folder", metavar="DIR")
@as_json
def study(folder: str, as_json: bool) -> None:
    """Read a study and say what is in it, what is missing, and what can be asked of it.

    DIR is a BIDS folder (raw data, derivatives or both), or a plain table with columns for files. Nothing is
    written into it.
    """
    from ..study.planning import possible_questions  # noqa: PLC0415
    from ..study.reading import read_study  # noqa: PLC0415
    from ..study.summary import in_text, summary  # noqa: PLC0415

    with Progress("Reading") as report:
        found = read_study(folder, report)
    told = summary(found)
    questions = [{"kind": each.kind, "possible": each.possible, "why": each.why} for each in possible_questions(found)]
    if as_json:
        print_json({**told, "questions": questions, "warnings": found.findings})
        return
    print_warnings(found.findings)
    print_text(in_text(told, questions))
