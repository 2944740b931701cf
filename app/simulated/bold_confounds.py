"""The table of confounds beside a simulated run, under the names that fMRIPrep gives them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ...stats.fmriprep import MOTION
from ...stats.quality import dvars
from ..problems import silent
from .bold_head import Head
from .bold_run import TR_S, Report, Run

CUTOFF_S = 128.0  # of the cosines


def confounds(head: Head, run: Run, report: Report = silent) -> pd.DataFrame:
    """Tissue means, changes from volume to volume, motion, and slow cosines, (volumes, columns).

    As fMRIPrep measures them, on the run itself: mean over voxels of CSF, white matter, and the brain; backward
    differences and squares of these and of motion; NaN where a volume has no predecessor.
    """
    means = {
        "csf": run.rows[head.csf].mean(axis=0, dtype=np.float64),
        "white_matter": run.rows[head.white].mean(axis=0, dtype=np.float64),
        "global_signal": run.rows.mean(axis=0, dtype=np.float64),
    }
    moved: dict[str, np.ndarray] = dict(zip(MOTION, run.motion.parameters.T, strict=True))
    changes = dvars(run.rows, report)
    displacement = run.motion.displacement_mm.copy()
    displacement[0] = np.nan
    return pd.DataFrame(
        {
            **_expanded(means),
            "std_dvars": changes.standardised,
            "dvars": changes.raw,
            "framewise_displacement": displacement,
            **_expanded(moved),
            **_cosines(run.rows.shape[1]),
        }
    )


def _expanded(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Each column, its backward difference, and the squares of both."""
    made: dict[str, np.ndarray] = {}
    for name, values in columns.items():
        change = np.concatenate([[np.nan], np.diff(values)])
        made |= {name: values, f"{name}_derivative1": change}
        made |= {f"{name}_derivative1_power2": change**2, f"{name}_power2": values**2}
    return made


def _cosines(volumes: int) -> dict[str, np.ndarray]:
    """Discrete cosines slower than the cutoff, of unit length."""
    count = int(np.floor(2 * volumes * TR_S / CUTOFF_S))
    middle = np.arange(volumes) + 0.5
    return {
        f"cosine{k - 1:02d}": np.sqrt(2 / volumes) * np.cos(np.pi * k * middle / volumes) for k in range(1, count + 1)
    }
