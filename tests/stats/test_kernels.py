"""Nothing is compiled while somebody waits: `compile_kernels` covers every kind of array that calls meet."""

from __future__ import annotations

import subprocess
import sys

CHECK = """
import numpy as np
from numba.core.dispatcher import Dispatcher
from habena.stats import cluster, confounds, correlate, project, quantise, resample, rows, smooth

MODULES = (cluster, correlate, project, resample, smooth)
for module in MODULES:
    module.compile_kernels()

def signatures():
    return {
        f"{module.__name__}.{name}": len(kernel.signatures)
        for module in MODULES for name, kernel in vars(module).items() if isinstance(kernel, Dispatcher)
    }

before = signatures()
assert sum(before.values()) > 10
shape = (7, 6, 5)
plain = np.random.default_rng(0).standard_normal(shape)
kinds = [plain.astype(np.float32), np.asfortranarray(plain.astype(np.float32)), plain, plain.astype(">f4")]
kinds += [kinds[0][::1, :, ::-1]]
for volume in kinds:
    for frozen in (False, True):
        volume = volume.copy(order="K")
        volume.flags.writeable = not frozen
        smooth.smooth(volume, (4, 5, 6), (2, 2, 2))
        resample.resample(volume, np.eye(4) * [1, 1, 1, 1], shape, outside=0)
        resample.resample(volume, np.eye(4), (9, 9, 9), "nearest")
        resample.resample_labels((volume * 9).astype(np.int64), np.eye(4), shape)
        for connectivity in (6, 18, 26):
            cluster.find_clusters(cluster.ThresholdedMap(volume, 1, None, 1), connectivity)
        points = np.argwhere(volume > 1).astype(np.float32)
        weights = project.depth_weights(points, points - 1, np.eye(4), shape)
        project.apply(weights, volume)
        project.apply(project.line_weights(points, np.array([[0, 1, 2]], np.int32), np.eye(4), shape), volume)
series = np.random.default_rng(0).standard_normal((50, 40)).astype(np.float32)
for prepared in (rows.unit_rows(series), rows.compact_rows(series, confounds.design(confounds.Nuisance(40, 2)))):
    seed = correlate.seed_series(prepared, np.array([1, 2]))
    for stored in (prepared, quantise.quantise(prepared, 8), quantise.quantise(prepared, 16)):
        correlate.seed_map(stored, seed)
        correlate.seed_maps(stored, [seed, -seed])
after = signatures()
assert after == before, {name: (before[name], n) for name, n in after.items() if n != before[name]}
"""


def test_compile_kernels_leaves_nothing_to_compile() -> None:
    done = subprocess.run([sys.executable, "-c", CHECK], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
