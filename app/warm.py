"""Compile every Numba kernel once, into the cache on disk, so that nobody waits for it later."""

from __future__ import annotations

import os
from importlib import import_module

# See `cli`: must be set before NumPy is imported.
os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")

LOOKING = (
    "render.kernels",
    "stats.cluster",
    "stats.correlate",
    "stats.project",
    "stats.resample",
    "stats.smooth",
)
COMPUTING = (
    "stats.adjacency",
    "stats.cluster_inference",
    "stats.glm_kernels",
    "stats.graph_centrality",
    "stats.graph_clustering",
    "stats.graph_lengths",
    "stats.graph_modules",
    "stats.graph_null",
    "stats.graph_paths",
    "stats.group_seed",
    "stats.influence_kernels",
    "stats.kinetics",
    "stats.logan",
    "stats.neighbours",
    "stats.perm_products",
    "stats.perm_voxels",
    "stats.srtm",
    "stats.tfce",
    "stats.voxel_clustering",
    "stats.voxel_degree",
    "stats.voxel_density",
    "stats.voxel_edges",
    "stats.voxel_intensity",
)
MODULES = (*LOOKING, *COMPUTING)


def main() -> None:
    """Compile what is not yet in the cache, and say so in stamp files: first what looking needs."""
    from .startup import stamp  # noqa: PLC0415

    for modules, done in ((LOOKING, stamp("looking")), (COMPUTING, stamp())):
        for module in modules:
            import_module(f"habena.{module}").compile_kernels()
        done.touch()


if __name__ == "__main__":
    main()
