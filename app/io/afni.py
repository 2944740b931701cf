"""Headers of AFNI's HEAD and BRIK, by nibabel."""

from __future__ import annotations

from typing import Any

import numpy as np

from .identify import Identity
from .layout import Header, in_a_row, scaling, three, zooms_of
from .nib import AFNIHeader
from .space import MNI152, TALAIRACH, Placement
from .times import Step

MILLISECONDS = 77001
SPACES = {
    "TLRC": TALAIRACH,
    "MNI": MNI152,
    "MNI_2009c_asym": "MNI152NLin2009cAsym",
    "MNI152_2009c_asym": "MNI152NLin2009cAsym",
}
STATISTICS = {2: "r", 3: "t", 4: "F", 5: "z", 6: "chi²", 7: "beta", 8: "binomial", 9: "gamma", 10: "Poisson"}


def afni_header(found: Identity) -> Header:
    """AFNI HEAD and BRIK, one scale factor per sub-brick."""
    with found.path.open(encoding="latin-1") as file:
        raw: Any = AFNIHeader.from_fileobj(file)
    dtype, shape = np.dtype(raw.get_data_dtype()), tuple(int(size) for size in raw.get_data_shape())
    shape = shape[:3] if shape[3:] == (1,) else shape
    factors = raw.get_data_scaling()
    affine = np.asarray(raw.get_affine(), np.float64)
    labels = tuple(label for label in (raw.get_volume_labels() or []) if label)
    taxis = raw.info.get("TAXIS_NUMS")
    in_ms = bool(taxis) and taxis[2] == MILLISECONDS
    return Header(
        format="AFNI",
        shape=shape,
        dtype=dtype.name,
        kind="complex" if dtype.kind == "c" else "scalar",
        placement=Placement(
            three(shape),
            zooms_of(affine),
            affine=affine,
            template=_template(raw.info),
        ),
        step=Step(float(raw.get_zooms()[3]), "ms" if in_ms else "s") if taxis and len(shape) > 3 else Step(),
        voxels=in_a_row(found, dtype, shape, 0),
        scaling=scaling() if factors is None else scaling(np.asarray(factors)[:, None]),
        frame_names=labels,
        statistic=_statistic(raw.info) if len(shape) == 3 else "",
    )


def _template(info: dict[str, Any]) -> str | None:
    """Space by AFNI's name for it; None for the person's own."""
    named = str(info.get("TEMPLATE_SPACE", "")).strip()
    return SPACES.get(named, named) if named not in {"", "ORIG"} else None


def _statistic(info: dict[str, Any]) -> str:
    """Statistic of the first sub-brick: BRICK_STATAUX holds index, code, count and parameters in a row."""
    listed = np.atleast_1d(info.get("BRICK_STATAUX", [])).tolist()
    if len(listed) < 3 or listed[0] != 0 or int(listed[1]) not in STATISTICS:
        return ""
    parameters = ", ".join(f"{value:g}" for value in listed[3 : 3 + int(listed[2])])
    name = STATISTICS[int(listed[1])]
    return f"{name}({parameters})" if parameters else name
