"""Questions: what an overlay shows, as frozen values.

A recipe says what to show, never holds the answer. Its array is a cached result, so undo, scenes,
figures and the command line keep recipes only. How each is answered stands in `compute`.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from .models import Inference, Model
from .preparation import Preparation
from .study.rows import StudyRows

Point = tuple[float, float, float]


class FileMap(msgspec.Struct, frozen=True, tag="file"):
    """An image, a series or surface data as it stands in a file."""

    path: str


class RegionMask(msgspec.Struct, frozen=True, tag="region"):
    """One or more regions of an atlas as a mask; ``indices`` are its label values.

    ``atlas`` is the id of an atlas that the program knows, else a label file: see `label_file`.
    """

    atlas: str
    indices: tuple[int, ...]


class AtlasLabels(msgspec.Struct, frozen=True, tag="atlas"):
    """A whole atlas, each region in its own colour."""

    atlas: str


BETWEEN_IMAGE_AND_TABLE = "::"


def label_file(atlas: str) -> tuple[str, str | None]:
    """Image and table of names of an atlas of the user's, whose id is ``IMAGE`` or ``IMAGE::TABLE``."""
    image, _, table = atlas.partition(BETWEEN_IMAGE_AND_TABLE)
    return image, table or None


def label_file_id(image: str, table: str | None = None) -> str:
    """The reverse of `label_file`."""
    return image if table is None else f"{image}{BETWEEN_IMAGE_AND_TABLE}{table}"


class Stroke(msgspec.Struct, frozen=True, tag="stroke"):
    """One stroke of the brush: all voxels whose centre lies within ``radius_mm`` of the path.

    With ``flat`` set to a world axis (0, 1, 2), only the slice of voxels nearest to the path along
    that axis is painted: a brush on one picture; None is a ball.
    """

    path_mm: tuple[Point, ...]
    radius_mm: float
    flat: int | None = None
    erase: bool = False


class ThresholdFill(msgspec.Struct, frozen=True, tag="fill"):
    """Voxels joined to the start (26 neighbours) whose value in an image lies between two bounds.

    No voxel farther than ``radius_mm`` from the start is taken.
    """

    start_mm: Point
    image: Recipe
    frame: int
    low: float
    high: float
    radius_mm: float
    erase: bool = False


class Drawing(msgspec.Struct, frozen=True, tag="drawing"):
    """A hand-drawn mask on the grid of an image: the edits in order, so that undo is free."""

    grid_of: Recipe
    edits: tuple[Stroke | ThresholdFill, ...] = ()
    start: Recipe | None = None


class CrosshairSeed(msgspec.Struct, frozen=True, tag="crosshair"):
    """The seed follows the crosshair: nearest voxel, or all within ``radius_mm``."""

    radius_mm: float = 0.0


class PointSeed(msgspec.Struct, frozen=True, tag="point"):
    """A fixed place: nearest voxel, or all voxels whose centre lies within ``radius_mm``."""

    at_mm: Point
    radius_mm: float = 0.0


class MaskSeed(msgspec.Struct, frozen=True, tag="mask"):
    """All voxels of a region, a mask file or a drawing."""

    mask: FileMap | RegionMask | Drawing


Seed = CrosshairSeed | PointSeed | MaskSeed


class SeedCorrelation(msgspec.Struct, frozen=True, tag="seed"):
    """Correlation of every voxel's prepared series with the seed's.

    ``measure``: Pearson ``r``, Fisher ``z``, or ``p``: -log10 of the two-sided p with effective degrees of freedom.
    """

    run: FileMap
    seed: Seed
    preparation: Preparation = Preparation()
    measure: Literal["r", "z", "p"] = "r"


class RegionMatrix(msgspec.Struct, frozen=True, tag="regions"):
    """Correlations between the regions of an atlas: of one run, or of several averaged as Fisher z.

    Attributes
    ----------
    runs : tuple of FileMap
    atlas : str
        As in `RegionMask`.
    preparation : Preparation
        The same for every run; a table of confounds only where there is one run.
    strategy : str
        fMRIPrep's confounds by the name of a strategy, from each run's own table beside it; empty for none.
    kind : str
        Pearson correlation, or partial correlation with Ledoit and Wolf's shrinkage.
    space : str or None
        The template that the user has vouched for, of runs that do not say.
    """

    runs: tuple[FileMap, ...]
    atlas: str
    preparation: Preparation = Preparation()
    strategy: str = ""
    kind: Literal["pearson", "partial"] = "pearson"
    space: str | None = None


class MatrixFile(msgspec.Struct, frozen=True, tag="matrix"):
    """A matrix of connections from a table; its nodes have no place in the brain."""

    path: str


class EdgeRule(msgspec.Struct, frozen=True):
    """Which pairs of regions are edges: a share of all pairs (0 to 1), else all from a correlation on.

    ``edges``: negative correlations are dropped, count by their size, or keep their sign.
    """

    edges: Literal["positive", "absolute", "signed"] = "positive"
    density: float | None = 0.15
    r: float | None = None
    weighted: bool = False


class GraphMetric(msgspec.Struct, frozen=True, tag="graph"):
    """A metric of each region in the graph of a matrix, painted on the regions.

    ``shown``: of ``a``, of ``b``, or their difference, each graph cut by the same rule.
    """

    a: RegionMatrix | MatrixFile
    b: RegionMatrix | MatrixFile | None = None
    shown: Literal["a", "b", "difference"] = "a"
    rule: EdgeRule = EdgeRule()
    metric: str = "degree"


class GroupRun(msgspec.Struct, frozen=True):
    """One run of a group, with its own table of confounds."""

    path: str
    confounds: str | None = None


class GroupModel(msgspec.Struct, frozen=True):
    """A linear model of Fisher z over runs, as numbers: it stays what it is when the table behind it changes.

    Attributes
    ----------
    columns : tuple of str
        Of the design.
    design : tuple of tuple of float
        (n, p), one row per observation.
    contrast : tuple of tuple of float
        (q, p): one row for t, several for F, none to test the voxelwise covariate.
    name : str
        What is tested, in words.
    formula : str
        What the design came from, for people.
    pairs : tuple of (int, int)
        The two runs of each observation; empty where observation i is run i.
    combined : str
        Whether the two are subtracted (first minus second) or averaged.
    voxelwise : tuple of str
        A covariate with a value per voxel: an image for each run, or none.
    covariate : str
        What it is called.
    """

    columns: tuple[str, ...]
    design: tuple[tuple[float, ...], ...]
    contrast: tuple[tuple[float, ...], ...]
    name: str = "mean"
    formula: str = "~ 1"
    pairs: tuple[tuple[int, int], ...] = ()
    combined: Literal["difference", "mean"] = "difference"
    voxelwise: tuple[str, ...] = ()
    covariate: str = ""

    @property
    def all_columns(self) -> tuple[str, ...]:
        """Of the design, then the voxelwise covariate."""
        return (*self.columns, self.covariate) if self.voxelwise else self.columns

    @property
    def residual_df(self) -> int:
        """Observations less columns."""
        return len(self.design) - len(self.all_columns)

    @property
    def df(self) -> tuple[float, float]:
        """Degrees of freedom of numerator (1 for t) and residual."""
        return float(max(1, len(self.contrast))), float(self.residual_df)

    @property
    def kind(self) -> Literal["t", "F"]:
        """The statistic."""
        return "F" if len(self.contrast) > 1 else "t"


GroupMeasure = Literal["statistic", "estimate", "mean r", "p"]


class GroupSeedMap(msgspec.Struct, frozen=True, tag="group-seed"):
    """A test over the seed maps of several runs, in each voxel.

    ``measure``: t or F, the estimate in Fisher z, the mean correlation (averaged as Fisher z), or -log10 p.
    """

    runs: tuple[GroupRun, ...]
    seed: Seed
    model: GroupModel
    preparation: Preparation = Preparation()
    measure: GroupMeasure = "statistic"


class ModelMap(msgspec.Struct, frozen=True, tag="model"):
    """One map of one test of a linear model.

    ``shown``: the map's key, such as ``t``, ``estimate``, ``neglog10-p-tfce-fwe``.
    """

    model: Model
    inference: Inference
    test: str
    shown: str = "t"


class StudyMap(msgspec.Struct, frozen=True, tag="study-map"):
    """The prepared image of the first row of a study's question: a person's ratio map, say, or its change."""

    rows: StudyRows


class NativeMap(msgspec.Struct, frozen=True, tag="native"):
    """A scan in a person's own space, seen at its place in a template through an affine.

    ``template`` is the same scan normalised, whose grid a transform of FSL refers to.
    """

    path: str
    transform: str
    template: str


Recipe = (
    FileMap
    | RegionMask
    | AtlasLabels
    | Drawing
    | SeedCorrelation
    | GraphMetric
    | GroupSeedMap
    | ModelMap
    | StudyMap
    | NativeMap
)
