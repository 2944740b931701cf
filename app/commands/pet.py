"""Commands for PET: `habena suvr`, `habena kinetics`."""

from __future__ import annotations

from typing import Any

import click

from ..console import Progress, print_json, print_text, print_warnings
from ..problems import Problem
from .options import as_json, numbers, output

REFERENCE = "Mask file, region as `habena regions` lists it, or cerebellum, white matter, whole brain."
LARGEST = 10_000  # rates of a basis


@click.command()
@click.argument("pet")
@click.option("-o", "--output", "out", callback=output, metavar="MAP", help="Map to write: .nii.gz or .nii")
@click.option("--reference", required=True, metavar="FILE|NAME", help=REFERENCE)
@click.option("--atlas", metavar="A", help="Atlas of the reference region.")
@click.option(
    "--window", required=True, callback=numbers(2, "START,END"), metavar="START,END", help="Minutes from injection."
)
@as_json
def suvr(pet: str, out: str, reference: str, atlas: str | None, window: tuple[float, float], as_json: bool) -> None:
    """Divide the mean uptake in a window of frames by that of a reference region.

    Frames are weighted by their time within the window.
    """
    from .. import pet as pets  # noqa: PLC0415

    with Progress("Averaging") as report:
        found = pets.suvr(pet, reference, window, out, atlas, report)
    if as_json:
        print_json({"map": out, **found.notes, "warnings": found.findings})
    else:
        print_warnings(found.findings)
        n = len(found.notes["frames"])
        print_text(f"{out}: SUVR of {n} frame{'s' * (n != 1)}, reference mean {found.notes['reference_mean']:.6g}")


@click.command()
@click.argument("pet")
@click.option("-o", "--output", "out", callback=output, metavar="DIR", help="Folder for the maps.")
@click.option("--model", type=click.Choice(("logan", "srtm")), required=True)
@click.option("--reference", required=True, metavar="FILE|NAME", help=REFERENCE)
@click.option("--atlas", metavar="A", help="Atlas of the reference region.")
@click.option("--tstar", type=float, metavar="MIN", help="Logan: frames from here on, minutes; default 30.")
@click.option(
    "--k2ref", type=float, metavar="1/MIN", help="Logan: k2' of the reference, 1/min; without it its term is left out."
)
@click.option(
    "--basis",
    callback=numbers(3, "LO,HI,N"),
    metavar="LO,HI,N",
    help="SRTM: N rates tried from LO to HI, 1/min; default .006,.6,100.",
)
@as_json
def kinetics(
    pet: str,
    out: str,
    model: Any,
    reference: str,
    atlas: str | None,
    tstar: float | None,
    k2ref: float | None,
    basis: tuple[float, float, float] | None,
    as_json: bool,
) -> None:
    """Map binding by a reference-tissue model, voxel by voxel.

    Logan's graphical analysis gives DVR and BP_ND = DVR - 1; SRTM by basis functions BP_ND, R1 and rates.
    """
    from .. import pet as pets  # noqa: PLC0415

    _refuse_options_of_the_other(model, {"--tstar": tstar, "--k2ref": k2ref}, {"--basis": basis})
    options = pets.KineticOptions(model, tstar, k2ref, _basis(basis))
    with Progress("Fitting") as report:
        found = pets.kinetics(pet, reference, options, out, atlas, report)
    if as_json:
        print_json({"maps": found.files, **found.notes, "warnings": found.findings})
    else:
        print_warnings(found.findings)
        print_text(f"{out}: {', '.join(found.files)} of {found.notes['voxels']} voxels")


def _refuse_options_of_the_other(model: str, of_logan: dict[str, object], of_srtm: dict[str, object]) -> None:
    other = of_srtm if model == "logan" else of_logan
    for name, value in other.items():
        if value is not None:
            raise Problem(name, f"is no option of {model}", "leave it out, or choose the other model")


def _basis(text: tuple[float, float, float] | None) -> Any:
    from ...stats.srtm import BasisRange  # noqa: PLC0415 - compiled

    if text is None:
        return None
    low, high, steps = text
    if steps != int(steps) or steps > LARGEST:
        raise Problem("--basis", f"N of {steps:g} is no number of rates", f"give a whole number up to {LARGEST}")
    return BasisRange(low, high, int(steps))
