"""The reference region of a PET analysis: a mask file, a region by name, or one of three that have a fixed meaning."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .answers import Answer
from .atlas import Region
from .grid import Grid
from .problems import Finding, Problem

MaskMaker = Callable[[Grid], NDArray[np.bool_]]
BRAIN_TEMPLATE = "MNI152NLin2009aSym"
IMAGE_ENDINGS = (".nii", ".gz", ".mgz", ".mgh", ".hdr", ".img", ".mnc", ".v")


class Reference(NamedTuple):
    """A reference region on the grid of a scan.

    Attributes
    ----------
    mask : (nx, ny, nz) bool
    file : str or None
        The mask file, where it is one.
    notes : mapping
        For the record of a map.
    findings : tuple of Finding
    """

    mask: NDArray[np.bool_]
    file: str | None
    notes: Mapping[str, Any]
    findings: tuple[Finding, ...]


def reference_region(path: str, answer: Answer, grid: Grid, reference: str, atlas: str | None = None) -> Reference:
    """The reference region that a text means.

    Parameters
    ----------
    path, answer, grid
        The scan.
    reference : str
        A mask file; a region as `habena regions` lists it; or ``cerebellum`` (both hemispheres of AAL2 without the
        vermis), ``white matter`` (of both cerebral hemispheres, Desikan-Killiany), ``whole brain`` (MNI152 mask).
    atlas : str, optional
        Of the region.

    Raises
    ------
    Problem
        When there is no such file or region, the scan's space is not that of the atlas, or they do not overlap.
    """
    if _is_file(reference):
        found = _from_file(path, answer, grid, reference)
    elif atlas is None and _words(reference) == "whole brain":
        found = _brain(path, answer, grid)
    else:
        found = _from_atlas(path, answer, grid, _regions(reference, atlas))
    if not found.mask.any():
        raise Problem(reference, f"does not overlap {Path(path).name}", "give one in the same space")
    return found


def _is_file(reference: str) -> bool:
    return Path(reference).is_file() or "/" in reference or reference.lower().endswith(IMAGE_ENDINGS)


def _words(text: str) -> str:
    return " ".join(text.casefold().replace("-", " ").replace("_", " ").split())


def _from_file(path: str, answer: Answer, grid: Grid, reference: str) -> Reference:
    from . import templates  # noqa: PLC0415
    from .compute import open_file  # noqa: PLC0415
    from .runs import mask_on_grid  # noqa: PLC0415

    mask = open_file(reference)
    if mask.image is None or mask.image.kind == "rgb" or mask.n_frames != 1:
        raise Problem(reference, "is no mask: one volume of numbers", "give a 3D image, above 0 inside the region")
    if answer.space and mask.space and templates.compatible(answer.space, mask.space).level == "different":
        what = f"is in {mask.space} and {Path(path).name} in {answer.space}"
        raise Problem(reference, what, "give a mask in the scan's space")
    findings: tuple[Finding, ...] = ()
    if mask.image.grid != grid:
        message = "The mask lies on another grid; each voxel of the scan takes the value of the mask's nearest voxel."
        findings = (Finding("reference-resampled", reference, None, message),)
    notes = {"reference": Path(reference).name, "reference_kind": "mask"}
    return Reference(mask_on_grid(reference, grid), reference, notes, findings)


def _regions(reference: str, atlas: str | None) -> Sequence[Region]:
    """Regions by a name with a fixed meaning, else as `habena regions` lists them."""
    from .finder import resolve_region  # noqa: PLC0415
    from .io.atlases import load_atlas  # noqa: PLC0415

    words = _words(reference)
    if atlas is None and words == "cerebellum":
        return [region for region in load_atlas("aal2").regions if region.name.startswith("Cerebellum")]
    if atlas is None and words == "white matter":
        return resolve_region("Cerebral white matter both", "desikan-killiany")
    return resolve_region(reference, atlas)


def _from_atlas(path: str, answer: Answer, grid: Grid, regions: Sequence[Region]) -> Reference:
    from . import templates  # noqa: PLC0415
    from .io.atlases import describe, load_atlas  # noqa: PLC0415

    info = describe(regions[0].atlas)
    _refuse_other_space(path, answer, info.template)
    notes = {
        "reference": ", ".join(region.title for region in regions),
        "reference_kind": "region",
        "reference_atlas": info.id,
        "atlas_template": info.template,
    }
    mask = load_atlas(info.id).mask(regions, grid)
    return Reference(mask, None, notes, templates.findings(answer.space, [info]))


def _brain(path: str, answer: Answer, grid: Grid) -> Reference:
    """The brain mask that nilearn makes of the MNI152 T1."""
    from nilearn.datasets import load_mni152_brain_mask  # noqa: PLC0415

    from ..stats.resample import resample_labels  # noqa: PLC0415 - compiled

    _refuse_other_space(path, answer, BRAIN_TEMPLATE)
    brain = load_mni152_brain_mask(resolution=2)
    to_brain = np.linalg.inv(brain.affine) @ grid.affine
    mask = resample_labels(np.asarray(brain.dataobj, np.int32), to_brain, grid.shape) > 0
    notes = {"reference": "whole brain", "reference_kind": "template", "atlas_template": BRAIN_TEMPLATE}
    return Reference(mask, None, notes, ())


def _refuse_other_space(path: str, answer: Answer, template: str) -> None:
    from .templates import compatible  # noqa: PLC0415

    fit = compatible(answer.space, template)
    if not fit.names_regions:
        todo = "give a mask file, or name its space with a space- entity or its sidecar"
        raise Problem(path, fit.message.removesuffix(": no region names are shown"), todo)
