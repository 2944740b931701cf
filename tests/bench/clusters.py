"""Clusters of a map while a threshold slider moves."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from habena.stats.cluster import ThresholdedMap, find_clusters
from scipy import ndimage

from ._data import SHAPE_2MM, volume
from ._report import Row
from ._timing import interleaved

TITLE = "Clusters, both signs, 2 mm map of noise smoothed by 7 mm"
AT_MOST_S = 30e-3
FASTER = 1.0


def rows() -> Iterator[Row]:
    """Beside the time a picture may take, and SciPy's labels, sizes, peaks and centres."""
    values = ndimage.gaussian_filter(volume(SHAPE_2MM), 1.5)
    values = np.asfortranarray(values / values.std())
    for threshold in (2.0, 3.0):
        seconds, foreign = interleaved(
            {
                "ours": lambda t=threshold: find_clusters(ThresholdedMap(values, t, -t, 8.0)),
                "SciPy": lambda t=threshold: _with_scipy(values, t),
            }
        )
        task = f"threshold {threshold:g}"
        yield Row(task, seconds["ours"], "30 ms", AT_MOST_S, "limit", 1.0, foreign)
        yield Row(task, seconds["ours"], "SciPy ndimage", seconds["SciPy"], "peer", FASTER, foreign)


def _with_scipy(values: np.ndarray, threshold: float) -> None:
    for mask in (values >= threshold, values <= -threshold):
        labels, n = ndimage.label(mask)
        number = np.arange(1, n + 1)
        height = np.abs(values)
        np.bincount(labels.ravel())
        ndimage.maximum_position(height, labels, number)
        ndimage.center_of_mass(height, labels, number)
