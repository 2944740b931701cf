"""The tissue that is simulated: parcels of grey matter, white matter and fluid of the MNI152 template, at 1 mm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..sample import anatomy_file

if TYPE_CHECKING:
    from ..atlas import Atlas
    from ..grid import Grid

POSTERIOR_INSULA_MM = -3.0  # behind this y
NUCLEI = {"Habenula": ("HN_",), "Pallidum": ("GPe_", "GPi_")}  # parcels after CIT168, whose tissue maps show no grey
SCALP_MM = (6.0, 14.0)  # distance from the brain


class Parcel(NamedTuple):
    """A part of the grey matter that has one activity.

    ``code`` is the label of AAL2 without its side, or ``Insula_Post`` or ``Habenula``.
    """

    code: str
    name: str
    side: str

    @property
    def title(self) -> str:
        """Name and side."""
        return f"{self.name} {self.side}".rstrip()


@dataclass(frozen=True, eq=False)
class Anatomy:
    """Where which tissue is.

    Attributes
    ----------
    grid : Grid
        1 mm, that of the template.
    parcels : tuple of Parcel
        Label k of ``labels`` is ``parcels[k - 1]``.
    labels : (nx, ny, nz) uint8
        0 outside all parcels.
    grey, white, fluid, scalp : (nx, ny, nz) float32
        Share of each tissue in a voxel; together at most 1.
    centres_mm : (parcels, 3) float64
    """

    grid: Grid
    parcels: tuple[Parcel, ...]
    labels: NDArray[np.uint8]
    grey: NDArray[np.float32]
    white: NDArray[np.float32]
    fluid: NDArray[np.float32]
    scalp: NDArray[np.float32]
    centres_mm: NDArray[np.float64]


def load_anatomy() -> Anatomy:
    """The template's tissue, parcelled by AAL2 and CIT168.

    AAL2's labels lie on its own anatomy; they are painted on the template as every program does that names places
    by them. Habenula and pallidum are all grey, which the template's tissue maps do not show.
    """
    from ..io.volumes import open_volume  # noqa: PLC0415

    brain = open_volume(anatomy_file())
    grid = brain.grid
    grey, white = _tissue("gm"), _tissue("wm")
    parcels, labels = _parcels(grid)
    nuclei = np.isin(labels, [k for k, parcel in enumerate(parcels, start=1) if parcel.code in NUCLEI])
    grey[nuclei], white[nuclei] = 1.0, 0.0
    inside = brain.frame(0) > 0
    fluid = np.where(inside, 1 - grey - white, 0).clip(0).astype(np.float32)
    return Anatomy(grid, parcels, labels, grey, white, fluid, _scalp(inside), _centres(labels, len(parcels), grid))


def _tissue(name: str) -> NDArray[np.float32]:
    """Share of a tissue in nilearn's template."""
    from ..io.volumes import open_volume  # noqa: PLC0415

    t1 = anatomy_file()
    values = open_volume(t1.with_name(t1.name.replace("_t1_", f"_{name}_"))).frame(0)
    return np.asfortranarray(values / values.max(), np.float32)


def _parcels(grid: Grid) -> tuple[tuple[Parcel, ...], NDArray[np.uint8]]:
    """AAL2, with the posterior insula, the habenula and the pallidum as parcels of their own."""
    from ..io.atlases import load_atlas  # noqa: PLC0415

    aal, cit = load_atlas("aal2"), load_atlas("cit168")
    labels = aal.labels_on(grid).astype(np.uint8, order="F")
    parcels = [Parcel(_code(region.abbreviation), region.name, region.side) for region in aal.regions]
    behind = int(np.floor(grid.ijk_of((0.0, POSTERIOR_INSULA_MM, 0.0))[1]))
    for side in "LR":
        insula = 1 + next(k for k, parcel in enumerate(parcels) if (parcel.code, parcel.side) == ("Insula", side))
        parcels.append(Parcel("Insula_Post", "Insula posterior", side))
        part = labels[:, : behind + 1]
        part[part == insula] = len(parcels)
        parcels.append(Parcel("Habenula", "Habenula", side))
        labels[_nucleus(cit, "Habenula", side, grid)] = len(parcels)
        pallidum = 1 + next(k for k, parcel in enumerate(parcels) if (parcel.code, parcel.side) == ("Pallidum", side))
        labels[_nucleus(cit, "Pallidum", side, grid)] = pallidum
    return tuple(parcels), labels


def _code(abbreviation: str) -> str:
    return abbreviation[:-2] if abbreviation.endswith(("_L", "_R")) else abbreviation


def _nucleus(atlas: Atlas, code: str, side: str, grid: Grid) -> NDArray[np.bool_]:
    starts = NUCLEI[code]
    return atlas.mask((r for r in atlas.regions if r.side == side and r.abbreviation.startswith(starts)), grid)


def _scalp(brain: NDArray[np.bool_]) -> NDArray[np.float32]:
    """A shell round the brain, at a resolution that is fine enough for what nobody looks at."""
    from scipy.ndimage import distance_transform_edt  # noqa: PLC0415 - slow to import

    step = 3
    away = step * np.asarray(distance_transform_edt(~brain[::step, ::step, ::step]))
    shell = (away >= SCALP_MM[0]) & (away <= SCALP_MM[1])
    for axis in range(3):
        shell = shell.repeat(step, axis)
    return np.asfortranarray(shell[tuple(slice(n) for n in brain.shape)], np.float32)


def _centres(labels: NDArray[np.uint8], n: int, grid: Grid) -> NDArray[np.float64]:
    """Middle of each parcel's box: all that distances between parcels need."""
    from scipy.ndimage import find_objects  # noqa: PLC0415 - slow to import

    boxes = find_objects(labels, max_label=n)
    return grid.mm_of([[(part.start + part.stop - 1) / 2 for part in box] for box in boxes])
