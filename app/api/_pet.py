"""Quantities of PET: `suvr` and `kinetics`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

from ._arguments import Path_, name_of
from .app.problems import Problem

if TYPE_CHECKING:
    from .app.pet_scan import PetResult


def suvr(
    pet: Path_,
    reference: Path_,
    window: tuple[float, float],
    *,
    atlas: str | None = None,
    out: Path_ | None = None,
) -> PetResult:
    """Divide the mean uptake in a window of frames by that of a reference region.

    Parameters
    ----------
    pet : path
        PET with frame times.
    reference : path or str
        Mask file, region as `regions` lists it, or ``cerebellum``, ``white matter``, ``whole brain``.
    window : (float, float)
        Start and end in minutes from injection; frames are weighted by their time within it.
    atlas : str
        Of the reference region.
    out : path
        Where to write the map, with a JSON sidecar.
    """
    from .app import pet as pets  # noqa: PLC0415 - importing habena stays quick

    return pets.suvr(os.fspath(pet), os.fspath(reference), window, name_of(out), atlas)


def kinetics(  # noqa: PLR0913 - the options of the command
    pet: Path_,
    model: Literal["logan", "srtm"],
    reference: Path_,
    *,
    atlas: str | None = None,
    tstar: float | None = None,
    k2ref: float | None = None,
    basis: tuple[float, float, int] | None = None,
    out: Path_ | None = None,
) -> PetResult:
    """Map binding by a reference-tissue model, voxel by voxel.

    Parameters
    ----------
    pet, reference, atlas
        As for `suvr`.
    model : str
        Logan's graphical analysis, or the simplified reference tissue model by basis functions.
    tstar : float
        Logan: frames from here on, minutes; default 30.
    k2ref : float
        Logan: k2' of the reference, 1/min; without it its term is left out.
    basis : (float, float, int)
        SRTM: smallest and largest rate tried, 1/min, and their number; default (.006, .6, 100).
    out : path
        Folder for the maps.
    """
    from .app import pet as pets  # noqa: PLC0415 - importing habena stays quick
    from .stats.srtm import BasisRange  # noqa: PLC0415

    of_other = {"basis": basis} if model == "logan" else {"tstar": tstar, "k2ref": k2ref}
    for name, value in of_other.items():
        if value is not None:
            raise Problem(name, f"is no option of {model}", "leave it out, or choose the other model")
    options = pets.KineticOptions(model, tstar, k2ref, None if basis is None else BasisRange(*basis))
    return pets.kinetics(os.fspath(pet), os.fspath(reference), options, name_of(out), atlas)
