"""Parametric maps of a dynamic PET scan."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from habena.stats.kinetics import Frames, convolved, frames_from_injection, integral
from habena.stats.logan import LoganOptions, logan
from habena.stats.srtm import BasisRange, srtm

from ._report import Row
from ._timing import interleaved

TITLE = "Kinetic maps, 36 frames"
VOXELS = 228_000
LOOP = 2_000  # voxels that a loop in Python is timed with
RATES = BasisRange(0.006, 0.6, 100)
TSTAR_MIN = 30.0
FASTER = 10.0


def rows() -> Iterator[Row]:
    """SRTM and Logan, seconds for 2,000 voxels, beside NumPy voxel by voxel and all voxels at once."""
    frames, reference, data = _scan()
    few = np.ascontiguousarray(data[:, :LOOP])
    options = LoganOptions(TSTAR_MIN)
    seconds, foreign = interleaved(
        {
            "SRTM": lambda: srtm(data, reference, frames, RATES),
            "SRTM, a loop": lambda: _srtm_by_voxel(few, reference, frames),
            "SRTM, products": lambda: _srtm_by_products(data, reference, frames),
            "Logan": lambda: logan(data, reference, frames, options),
            "Logan, a loop": lambda: _logan_by_voxel(few, reference, frames),
        },
        rounds=5,
    )
    for model, goal in (("SRTM", FASTER), ("Logan", FASTER)):
        ours = seconds[model] * LOOP / VOXELS
        task = f"{model}, 2,000 of 228,000 voxels ({VOXELS / seconds[model] / 1e6:.2g} million voxels a second)"
        yield Row(task, ours, "NumPy, voxel by voxel", seconds[f"{model}, a loop"], "peer", goal, foreign)
    whole = "SRTM, 228,000 voxels, refined between rates"
    peer = "NumPy by one matrix product, not refined"
    yield Row(whole, seconds["SRTM"], peer, seconds["SRTM, products"], "peer", None, foreign)


def _scan() -> tuple[Frames, np.ndarray, np.ndarray]:
    """A simulated scan: one reference curve, tissues of many binding potentials, noise."""
    rng = np.random.default_rng(0)
    duration_s = np.repeat([10.0, 20, 30, 60, 120, 300, 600], [6, 3, 8, 5, 5, 8, 1])
    frames = frames_from_injection(np.cumsum(duration_s) - duration_s, duration_s)
    mid = frames.mid_min
    reference = 40 * (mid * np.exp(-mid / 2.5) + 3.2 * (np.exp(-mid / 60) - np.exp(-mid / 6)))
    k2a = rng.uniform(0.02, 0.1, 200)
    tissues = np.array([reference + (0.1 - rate) * convolved(reference, mid, rate) for rate in k2a])
    data = tissues[rng.integers(200, size=VOXELS)].T + rng.standard_normal((len(mid), VOXELS))
    return frames, reference, data.astype(np.float32)


def _directions(reference: np.ndarray, frames: Frames) -> tuple[np.ndarray, np.ndarray]:
    """Orthonormal pair of the reference and each rate's curve, (N, 2, n), weighted; the square roots of weights."""
    root = np.sqrt(frames.duration_min)
    pairs = []
    for rate in np.geomspace(RATES.low, RATES.high, RATES.steps):
        both = np.column_stack([reference, convolved(reference, frames.mid_min, rate)]) * root[:, None]
        pairs.append(np.linalg.qr(both)[0].T)
    return np.array(pairs), root


def _srtm_by_voxel(data: np.ndarray, reference: np.ndarray, frames: Frames) -> np.ndarray:
    """The rate with the least squares, and the two weights by least squares, voxel by voxel."""
    pairs, root = _directions(reference, frames)
    rates = np.geomspace(RATES.low, RATES.high, RATES.steps)
    curves = [np.column_stack([reference, convolved(reference, frames.mid_min, rate)]) for rate in rates]
    found = np.empty((3, data.shape[1]))
    for v in range(data.shape[1]):
        y = data[:, v] * root
        best = int(((pairs @ y) ** 2).sum(axis=1).argmax())
        r1, other = np.linalg.lstsq(curves[best] * root[:, None], y, rcond=None)[0]
        found[:, v] = (other / rates[best] + r1 - 1, r1, other + r1 * rates[best])
    return found


def _srtm_by_products(data: np.ndarray, reference: np.ndarray, frames: Frames) -> np.ndarray:
    """The rate with the least squares of all voxels, by products with all directions, a block at a time."""
    pairs, root = _directions(reference, frames)
    seconds = pairs[:, 1].astype(np.float32)
    best = np.empty(data.shape[1], np.int64)
    for start in range(0, data.shape[1], 8192):
        block = data[:, start : start + 8192] * root[:, None].astype(np.float32)
        best[start : start + 8192] = np.abs(seconds @ block).argmax(axis=0)
    return best


def _logan_by_voxel(data: np.ndarray, reference: np.ndarray, frames: Frames) -> np.ndarray:
    used = frames.mid_min >= TSTAR_MIN
    area = integral(reference, frames.mid_min)
    time = np.concatenate([[0], frames.mid_min])
    found = np.empty((2, data.shape[1]))
    for v in range(data.shape[1]):
        curve = np.concatenate([[0], data[:, v]])
        own = np.cumsum(np.diff(time) * (curve[1:] + curve[:-1]) / 2)
        found[:, v] = np.polyfit((area / curve[1:])[used], (own / curve[1:])[used], 1)
    return found
