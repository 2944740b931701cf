"""Intermediate questions: what recipes need on the way to their answers. Never saved, only cached."""

from __future__ import annotations

import msgspec

from .grid import Grid
from .models import Inference, Model
from .recipes import FileMap, GroupModel, GroupRun, MatrixFile, Preparation, Recipe, RegionMask, RegionMatrix


class PreparedRun(msgspec.Struct, frozen=True):
    """A run's series after its preparation, ready to be correlated."""

    run: FileMap
    preparation: Preparation


class PreparedGroup(msgspec.Struct, frozen=True):
    """The series of several runs on the voxels that all of them have, each after the same preparation.

    Its runs are read one after the other and let go again; they need not be open.
    """

    runs: tuple[GroupRun, ...]
    preparation: Preparation


class GroupCovariate(msgspec.Struct, frozen=True):
    """The voxelwise covariate of a model on a group's voxels; images of runs become observations as the runs do."""

    model: GroupModel
    group: PreparedGroup


class QualityOf(msgspec.Struct, frozen=True):
    """Motion, DVARS and carpet of a run."""

    run: FileMap
    confounds: str | None


class AtlasData(msgspec.Struct, frozen=True):
    """An atlas, read; ``id`` names one that comes with the program or is the path of a label file."""

    id: str


class RegionSurface(msgspec.Struct, frozen=True):
    """The smooth surface of a region."""

    region: RegionMask


class CortexData(msgspec.Struct, frozen=True):
    """The surfaces of both hemispheres; None is fsaverage5, else one of the person's files."""

    path: str | None


class Projection(msgspec.Struct, frozen=True):
    """Weights from the voxels of a grid to the vertices of a cortex.

    The grid is spelt out so that the question can be compared and hashed.
    """

    shape: tuple[int, int, int]
    affine: tuple[float, ...]
    cortex: str | None


class ModelFit(msgspec.Struct, frozen=True):
    """A linear model fitted: its tests, without permutations."""

    model: Model
    one_sided: bool = False


class ModelPermutations(msgspec.Struct, frozen=True):
    """All permutations of one test."""

    model: Model
    inference: Inference
    test: str


class ModelCounts(msgspec.Struct, frozen=True):
    """Permutations of one test as far as they have come; ``inference`` asks for none. Never asked, only kept."""

    model: Model
    inference: Inference
    test: str


Question = (
    Recipe
    | PreparedRun
    | QualityOf
    | AtlasData
    | RegionSurface
    | CortexData
    | Projection
    | RegionMatrix
    | MatrixFile
    | PreparedGroup
    | GroupCovariate
    | ModelFit
    | ModelPermutations
    | ModelCounts
)


def projection_of(grid: Grid, cortex: str | None) -> Projection:
    """The question for a grid."""
    return Projection(grid.shape, tuple(float(x) for x in grid.affine.ravel()), cortex)
