"""Directions of 3D views: degrees round the head and above it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .scene import Pose

PRESETS: dict[str, tuple[float, float]] = {
    "left": (90.0, 0.0),
    "right": (-90.0, 0.0),
    "front": (0.0, 0.0),
    "back": (180.0, 0.0),
    "top": (180.0, 90.0),
    "bottom": (0.0, -90.0),
}


def frame_of(azimuth_deg: float, elevation_deg: float) -> tuple[NDArray[np.float64], ...]:
    """Unit vectors of a view, each (3,): towards the viewer, up, and to the right of the picture."""
    a, e = np.radians([azimuth_deg, elevation_deg])
    towards = np.array([-np.sin(a) * np.cos(e), np.cos(a) * np.cos(e), np.sin(e)])
    up = np.array([np.sin(a) * np.sin(e), -np.cos(a) * np.sin(e), np.cos(e)])
    return towards, up, np.cross(up, towards)


def turned(azimuth_deg: float, elevation_deg: float, right_px: float, down_px: float) -> tuple[float, float]:
    """Azimuth and elevation after dragging the head by so many pixels, half a degree each: it follows the mouse."""
    azimuth = (azimuth_deg - right_px * 0.5 + 180.0) % 360.0 - 180.0
    return azimuth, float(np.clip(elevation_deg + down_px * 0.5, -90.0, 90.0))


def letters_of(pose: Pose) -> tuple[str, str, str, str]:
    """Anatomical letters at the left, right, top and bottom; empty where no axis points within 30 degrees."""
    _, up, right = frame_of(pose.azimuth_deg, pose.elevation_deg)
    return _letter(-right), _letter(right), _letter(up), _letter(-up)


def _letter(direction: NDArray[np.float64]) -> str:
    axis = int(np.abs(direction).argmax())
    if abs(direction[axis]) < np.cos(np.radians(30)):
        return ""
    return ("RAS" if direction[axis] > 0 else "LPI")[axis]
