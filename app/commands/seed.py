"""The command `habena seed`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ..console import Progress, print_json, print_text, print_warnings
from ..recipes import Preparation
from .options import as_json, output, place_options, preparation_options

if TYPE_CHECKING:
    from ..seeding import SeedPlace


@click.command()
@click.argument("run")
@click.option("-o", "--output", "out", callback=output, help="Map to write: .nii.gz or .nii")
@place_options
@preparation_options
@click.option("--fisher", is_flag=True, help="Write Fisher z instead of r.")
@click.option("--save-prepared", help="Also write the prepared run.")
@as_json
def seed(
    run: str,
    out: str,
    place: SeedPlace,
    preparation: Preparation,
    fisher: bool,
    save_prepared: str | None,
    as_json: bool,
) -> None:
    """Correlate a seed's series with every voxel's.

    Order: drop, smooth, then one projection of drift, confounds, frequencies outside the band and censored volumes.
    """
    from .. import seeding  # noqa: PLC0415

    with Progress("Preparing") as report:
        files = seeding.SeedFiles(out, save_prepared)
        found = seeding.seed(run, place, preparation, "z" if fisher else "r", files, report)
    if as_json:
        print_json({"map": out, **found.notes, "warnings": found.findings})
    else:
        print_warnings(found.findings)
        df = found.notes["residual_degrees_of_freedom"]
        print_text(f"{out}: {found.notes['measure']}, {found.notes['brain_voxels']} voxels, {df} degrees of freedom")
