"""Nothing is compiled while somebody waits: `compile_kernels` covers every kind of array that calls meet."""

from __future__ import annotations

import subprocess
import sys

import pytest

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


ENGINE = """
import sys
from importlib import import_module

import numpy as np
from habena.app.warm import MODULES
from numba.core.dispatcher import Dispatcher

for name in MODULES:
    import_module(f"habena.{name}").compile_kernels()

def signatures():
    return {
        f"{kernel.__module__}.{kernel.__name__}": len(kernel.signatures)
        for module, loaded in list(sys.modules.items()) if module.startswith("habena.")
        for kernel in vars(loaded).values() if isinstance(kernel, Dispatcher)
    }

before = signatures()
assert sum(before.values()) > 40
from habena.stats import (
    cluster_inference, glm, graph, group_contrast, group_seed, inference, influence, logan, neighbours, perm_question,
    permute, rows, srtm, tfce, voxel_clustering, voxel_degree, voxel_density, voxel_edges, voxel_intensity,
)
from habena.stats.kinetics import frames_from_injection

rng = np.random.default_rng(0)
shape = (7, 6, 5)
near = neighbours.volume_neighbours(np.arange(210), shape, 18)
mesh = neighbours.mesh_neighbours(np.array([[0, 1, 2], [1, 2, 3]]), rng.standard_normal((4, 3)))
for dtype in (np.float32, np.float64):
    tfce.tfce(rng.standard_normal(210).astype(dtype), near)
    tfce.tfce(rng.standard_normal(4).astype(dtype), mesh)
    cluster_inference.cluster_sizes(rng.standard_normal(210).astype(dtype), near, 1.0, "mass")
    data = rng.standard_normal((12, 30)).astype(dtype)
    x = np.column_stack([np.ones(12), np.arange(12.0), np.tile([0.0, 1.0], 6)])
    extra = rng.standard_normal((1, 12, 30)).astype(dtype)
    groups = np.tile(["a", "b"], 6)
    for covariates, by_group in ((None, None), (extra, None), (None, groups), (extra, groups)):
        found = glm.fit(data, x, covariates, by_group)
        weights = np.eye(x.shape[1] + (covariates is not None))[1:]
        for asked in (weights[:1], weights):
            glm.test(found, asked)
            shuffling = permute.Shuffling(12, n_permutations=20)
            question = perm_question.Question(
                data, x, asked, shuffling, voxelwise=covariates, variance_groups=by_group
            )
            test = inference.PermutationTest(question)
            for counts in test.steps():
                test.result(counts)
    influence.influence_maps(data, x, [[0, 1, 0]])
unit = rows.unit_rows(rng.standard_normal((70, 40)).astype(np.float32))
for rule in ("positive", "absolute", "signed"):
    for cut in (voxel_edges.at_least(0.2, rule), voxel_density.at_density(voxel_edges.usable(unit), 0.2, rule)):
        degree = voxel_degree.degree(unit, cut)
        voxel_degree.degree(unit, cut, weighted=True)
        voxel_clustering.clustering(unit, cut)
        if rule != "signed":
            voxel_intensity.weighted_clustering(unit, cut, degree)
matrix = np.corrcoef(rng.standard_normal((30, 40)))
for weighted in (False, True):
    graph.metrics(graph.threshold_matrix(matrix, "absolute", density=0.2, weighted=weighted), graph.NAMES)
z = rng.uniform(-0.5, 0.5, (12, 30)).astype(np.float32)
group_seed.group_maps(z, group_contrast.group_test(x, [0.0, 1.0, 0.0]))
group_seed.group_maps(z, group_contrast.group_test(x, [0.0, 1.0, 0.0]), extra[0].astype(np.float32))
frames = frames_from_injection(np.arange(20) * 180.0, np.full(20, 180.0))
curve = 100 * np.exp(-np.arange(20) / 9)
curves = np.abs(rng.standard_normal((20, 30)).astype(np.float32)) + curve[:, None].astype(np.float32)
logan.logan(curves, curve, frames, logan.LoganOptions(tstar_min=20.0))
srtm.srtm(curves, curve, frames)
after = signatures()
more = {name: (before.get(name, 0), n) for name, n in after.items() if n != before.get(name, 0)}
assert not more, more
"""


@pytest.mark.parametrize("check", [CHECK, ENGINE], ids=["viewer", "statistics engine"])
def test_compile_kernels_leaves_nothing_to_compile(check: str) -> None:
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
