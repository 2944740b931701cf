"""A volume to the cortex of one hemisphere."""

from __future__ import annotations

from collections.abc import Iterator

import nibabel as nib
from habena.stats.project import apply, depth_weights, line_weights
from nilearn import datasets, surface

from ._data import SHAPE_2MM, affine, volume
from ._report import Row
from ._timing import interleaved

TITLE = "Surface projection, 2 mm volume to fsaverage5, one hemisphere"
FASTER = 100.0
AT_MOST_S = 1e-3
IN_A_ROW = 20  # maps follow one another while a seed is dragged


def rows() -> Iterator[Row]:
    """With the weights found before, beside nilearn, which finds them each time."""
    files = datasets.fetch_surf_fsaverage("fsaverage5")
    pial, white = (surface.load_surf_mesh(files[name]) for name in ("pial_left", "white_left"))
    values = volume(SHAPE_2MM)
    image = nib.Nifti1Image(values, affine(2))
    line = line_weights(pial.coordinates, pial.faces, affine(2), SHAPE_2MM)
    depth = depth_weights(pial.coordinates, white.coordinates, affine(2), SHAPE_2MM)
    seconds, foreign = interleaved(
        {
            "along the normal": lambda: [apply(line, values) for _ in range(IN_A_ROW)],
            "white to pial": lambda: [apply(depth, values) for _ in range(IN_A_ROW)],
            "nilearn along the normal": lambda: surface.vol_to_surf(image, pial),
            "nilearn white to pial": lambda: surface.vol_to_surf(image, pial, inner_mesh=white),
        },
        rounds=25,
    )
    for kind in ("along the normal", "white to pial"):
        task, ours = f"{kind}, each of {IN_A_ROW} maps in a row", seconds[kind] / IN_A_ROW
        yield Row(task, ours, "nilearn vol_to_surf", seconds[f"nilearn {kind}"], "peer", FASTER, foreign)
        yield Row(task, ours, "1 ms", AT_MOST_S, "limit", 1.0, foreign)
