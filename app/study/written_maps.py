"""Names, units and places of the maps of an answer."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from ..grid import Grid
from ..io.space import Space
from ..io.volume_info import VolumeInfo

if TYPE_CHECKING:
    from .values import Study

MNI_CODE, OTHER_CODE = 4, 2
UNITS = {
    "t": "t",
    "F": "F",
    "z": "z",
    "d": "Cohen's d",
    "partial-r": "partial r",
    "conjunction": "z nearer to 0 of both maps",
}
NEGLOG10 = "neglog10"


def template_of(study: Study) -> str | None:
    """The template that most scans of a study lie in; None where none says."""
    spaces = Counter(scan.space for scan in study.scans if scan.space not in {None, "native"})
    return spaces.most_common(1)[0][0] if spaces else None


def map_name(name: str, kind: str, template: str | None) -> str:
    """File of a map: ``space-MNI152NLin2009aSym_desc-change_stat-t_statmap.nii.gz``."""
    label = "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", name) if part)
    label = label[:1].lower() + label[1:] if name[:1].islower() else label
    space = f"space-{re.sub('[^A-Za-z0-9]', '', template)}_" if template else ""
    return f"{space}desc-{kind}_stat-{label}_statmap.nii.gz"


def unit_of(name: str, unit: str) -> str:
    """What the values of a map are; `unit` is that of the question's effect."""
    if NEGLOG10 in name or name == "p" or name.startswith("p_"):
        return "-log10 p"
    if name == "effect_groups":  # of an overlap, whose effect is a slope
        return unit.partition(" per ")[0]
    first = re.split(r"[^A-Za-z]", name)[0]
    if first in {"effect", "estimate", "ci", "se"}:
        return unit
    return UNITS.get(name, UNITS.get(first, ""))


def map_info(grid: Grid, study: Study) -> VolumeInfo:
    """Where a map lies: the study's grid and template."""
    template = template_of(study)
    code = MNI_CODE if (template or "").startswith("MNI") else OTHER_CODE
    space = Space(grid, "sform", code, 0, grid.affine, None, None, None, template, ())
    return VolumeInfo(
        path=Path(study.folder),
        format="NIfTI-1",
        shape=grid.shape,
        dtype="float32",
        kind="scalar",
        space=space,
        n_frames=1,
        tr_s=None,
        times=None,
        unit="",
        statistic="",
        description="",
        frame_names=(),
        sidecar={},
        findings=(),
    )
