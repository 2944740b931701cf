"""The command `habena group-seed`."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import click

from ..console import Progress, print_json, print_text, print_warnings
from ..problems import Problem
from ..recipes import Preparation
from .options import Command, as_json, output, place_options, preparation_options

if TYPE_CHECKING:
    from ..seeding import SeedPlace


def _confounds_of_rows(command: Command) -> Command:
    """Columns of confounds are looked up in the first row's table, which stands for all."""

    @functools.wraps(command)
    def with_column(*args: Any, **options: Any) -> Any:
        from ..io.study_table import column_of, paths_of, read_table  # noqa: PLC0415

        column = options["confounds_column"]
        if options["confounds"] is not None:
            raise Problem("--confounds", "is the table of one run", "name a column of tables with --confounds-column")
        if column is not None:
            table = read_table(options["table"])
            named = [row for row, there in enumerate(column_of(table, column).notna()) if there]
            if not named:
                raise Problem(table.path, f"column {column} names no table", "name one in each row")
            options["confounds"] = str(paths_of(table, column, named[:1])[0])
        return command(*args, **options)

    option = click.option("--confounds-column", metavar="COL", help="Column of tables of confounds, one per run.")
    return option(with_column)


@click.command("group-seed")
@click.argument("table")
@click.option("-o", "--output", "out", callback=output, metavar="DIR", help="Folder for the maps.")
@click.option("--column", default="run", show_default=True, metavar="COL", help="Column of runs.")
@place_options
@click.option("--formula", default="~ 1", show_default=True, help="Of the runs, or of differences, such as '~ group'.")
@click.option("--contrast", metavar="NAME=...", help="Weights, an expression of columns, or the name of one.")
@click.option("--voxelwise", metavar="COL", help="Column of images of a covariate, such as grey matter.")
@click.option("--subject", metavar="COL", help="Who was scanned; differences and means of two scans are modelled.")
@click.option("--within", metavar="COL", help="Column that tells the two scans apart, such as session.")
@_confounds_of_rows
@preparation_options
@as_json
def group_seed(
    table: str,
    out: str,
    place: SeedPlace,
    preparation: Preparation,
    as_json: bool,
    **asked: str | None,
) -> None:
    """Correlate a seed with every voxel in each run of a study, and test Fisher z over runs.

    TABLE is a TSV or CSV with a row per run; paths are relative to it. By default the mean over runs is tested.
    Written are t or F, -log10 p, the estimate (Fisher z), the mean correlation and the number of runs per voxel.
    """
    from .. import group_seeding  # noqa: PLC0415
    from ..group_models import GroupRequest  # noqa: PLC0415

    request = GroupRequest(
        asked["column"] or "run",
        asked["confounds_column"],
        asked["formula"] or "~ 1",
        asked["contrast"],
        asked["voxelwise"],
        asked["subject"],
        asked["within"],
    )
    with Progress("Preparing") as report:
        found = group_seeding.group_seed(table, place, request, preparation, out, report)
    if as_json:
        print_json(found.document())
        return
    print_warnings(found.findings)
    print_text(found.text())
