"""Smoothing of one volume."""

from __future__ import annotations

from collections.abc import Iterator

import nibabel as nib
import numpy as np
from habena.stats.smooth import FWHM_PER_SIGMA, smooth
from nilearn.image import smooth_img
from scipy.ndimage import gaussian_filter

from ._data import SHAPE_2MM, affine, volume
from ._report import Row
from ._timing import interleaved

TITLE = "Smoothing, 6 mm FWHM at 2 mm"
FASTER = 2.5


def rows() -> Iterator[Row]:
    """Beside SciPy and nilearn, each given the memory order it likes best."""
    fastest_x = volume(SHAPE_2MM)
    slowest_x = np.ascontiguousarray(fastest_x)
    image = nib.Nifti1Image(slowest_x, affine(2))
    seconds, foreign = interleaved(
        {
            "ours": lambda: smooth(fastest_x, 6, (2, 2, 2)),
            "SciPy gaussian_filter": lambda: gaussian_filter(slowest_x, 6 / FWHM_PER_SIGMA / 2, output=np.float32),
            "nilearn smooth_img": lambda: smooth_img(image, 6),
        }
    )
    for peer in ("SciPy gaussian_filter", "nilearn smooth_img"):
        yield Row("91 × 109 × 91", seconds["ours"], peer, seconds[peer], "peer", FASTER, foreign)
