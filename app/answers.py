"""What a recipe evaluates to: an image, data on the cortex, or both, with everything worth knowing about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol
from weakref import ref

import numpy as np
from numpy.typing import NDArray

from .grid import Grid
from .io.times import FrameTimes
from .problems import Finding, Problem
from .recipes import Point

Hemisphere = Literal["left", "right"]
Kind = Literal["scalar", "rgb", "complex"]


class Image(Protocol):
    """A volume, or a series of them, on a grid. Implemented by files on disk and by computed maps."""

    @property
    def grid(self) -> Grid:
        """Shape and affine."""
        ...

    @property
    def n_frames(self) -> int:
        """1 for a single volume."""
        ...

    @property
    def kind(self) -> Kind:
        """Whether `frame` or `rgba` is to be asked."""
        ...

    @property
    def nbytes(self) -> int:
        """Memory held now."""
        ...

    def frame(self, index: int = 0) -> NDArray[np.float32]:
        """(nx, ny, nz) float32, Fortran order, read-only; NaN is empty."""
        ...

    def rgba(self, index: int = 0) -> NDArray[np.uint8]:
        """(nx, ny, nz, 4) uint8."""
        ...

    def series(self, ijk: tuple[int, int, int]) -> NDArray[np.float32]:
        """(n_frames,) values of one voxel."""
        ...

    def ready(self, index: int) -> bool:
        """Whether a frame is at hand without waiting for a disk."""
        ...


@dataclass(frozen=True, eq=False)
class ArrayImage:
    """A computed map.

    Attributes
    ----------
    grid : Grid
    data : (nx, ny, nz) float32, Fortran order, read-only
    """

    grid: Grid
    data: NDArray[np.float32]
    n_frames: int = 1
    kind: Kind = "scalar"

    def __post_init__(self) -> None:
        """Shared arrays are read-only."""
        self.data.flags.writeable = False

    @property
    def nbytes(self) -> int:
        """Memory held."""
        return self.data.nbytes

    def frame(self, index: int = 0) -> NDArray[np.float32]:
        """The map itself."""
        del index
        return self.data

    def rgba(self, index: int = 0) -> NDArray[np.uint8]:
        """Not for scalar maps."""
        del index
        raise Problem("map", "has no colours of its own", "ask for its values")

    def series(self, ijk: tuple[int, int, int]) -> NDArray[np.float32]:
        """One value."""
        return self.data[ijk].reshape(1)

    def ready(self, index: int) -> bool:
        """Always."""
        del index
        return True


class MaskImage:
    """A mask of one bit a voxel: 1 inside, 0 outside. Its values are unpacked for as long as somebody holds them.

    Parameters
    ----------
    grid : Grid
    mask : (nx, ny, nz) bool
    """

    n_frames: int = 1
    kind: Kind = "scalar"

    def __init__(self, grid: Grid, mask: NDArray[np.bool_]) -> None:
        self.grid = grid
        self.n_inside = int(np.count_nonzero(mask))
        self._bits = np.packbits(mask.reshape(-1, order="F"))
        self._values: ref[NDArray[np.float32]] | None = None

    @property
    def nbytes(self) -> int:
        """Memory held."""
        return self._bits.nbytes

    def inside(self) -> NDArray[np.bool_]:
        """(nx, ny, nz) bool, Fortran order, the caller's own."""
        count = int(np.prod(self.grid.shape))
        return np.unpackbits(self._bits, count=count).view(bool).reshape(self.grid.shape, order="F")

    def frame(self, index: int = 0) -> NDArray[np.float32]:
        """The mask as values."""
        del index
        values = None if self._values is None else self._values()
        if values is None:
            values = self.inside().astype(np.float32, order="F")
            values.flags.writeable = False
            self._values = ref(values)
        return values

    def rgba(self, index: int = 0) -> NDArray[np.uint8]:
        """Not for masks."""
        del index
        raise Problem("mask", "has no colours of its own", "ask for its values")

    def series(self, ijk: tuple[int, int, int]) -> NDArray[np.float32]:
        """One value, without unpacking the others."""
        place = int(np.ravel_multi_index(ijk, self.grid.shape, order="F"))
        return np.array([self._bits[place // 8] >> (7 - place % 8) & 1], np.float32)

    def ready(self, index: int) -> bool:
        """Always."""
        del index
        return True


@dataclass(frozen=True, eq=False)
class VertexValues:
    """Computed values on the vertices of one hemisphere.

    Attributes
    ----------
    data : (n_vertices,) float32, read-only
    """

    data: NDArray[np.float32]
    n_frames: int = 1

    def __post_init__(self) -> None:
        """Shared arrays are read-only."""
        self.data.flags.writeable = False

    @property
    def n_vertices(self) -> int:
        """Vertices of the surface it belongs to."""
        return len(self.data)

    def frame(self, index: int = 0) -> NDArray[np.float32]:
        """The values."""
        del index
        return self.data

    def series(self, vertex: int) -> NDArray[np.float32]:
        """One value."""
        return self.data[vertex].reshape(1)


class Label(NamedTuple):
    """One value of a label image: what it is called and its colour, RGBA 0 to 255."""

    value: int
    name: str
    colour: tuple[int, int, int, int]


class Cortex(Protocol):
    """Data on the vertices of one hemisphere."""

    @property
    def n_vertices(self) -> int:
        """Vertices of the surface it belongs to."""
        ...

    @property
    def n_frames(self) -> int:
        """1 for a single map."""
        ...

    def frame(self, index: int = 0) -> NDArray[np.float32]:
        """(n_vertices,) float32; NaN is empty."""
        ...

    def series(self, vertex: int) -> NDArray[np.float32]:
        """(n_frames,) values of one vertex."""
        ...


class OneSided(Protocol):
    """Anything of one hemisphere, or of none that its file states."""

    @property
    def hemisphere(self) -> Literal["left", "right", ""]:
        """Empty when not stated."""
        ...


def side_of(part: OneSided) -> Hemisphere:
    """Hemisphere of a cortex or its data; one whose files do not say counts as left."""
    return part.hemisphere or "left"


@dataclass(frozen=True, eq=False)
class Answer:
    """The answer to a recipe.

    Attributes
    ----------
    title : str
        Short, for lists and colour bars.
    image : Image or None
        In the volume.
    cortex : mapping of hemisphere to Cortex
        On the surface, for data that live there; volumes are projected when drawn.
    tables : tuple of tuple of Label
        For label images: the table of each frame, or one for all; else empty.
    unit, statistic : str
        Such as ``Bq/mL``, ``t(18)``, ``r``; empty when not known.
    space : str or None
        Template space of the coordinates; None when native or unknown.
    times : FrameTimes or None
        When the frames were taken, None when not known.
    frame_names : tuple of str
        What the frames are called; empty when they have no names.
    findings : tuple of Finding
        What its user should know.
    notes : mapping
        What was done to get it: goes into the sidecar of a written map.
    simulated : bool
        Not a person's data.
    box_mm : (Point, Point) or None
        World box of what an image shows, without its empty border; None where nobody has looked.
    rest : callable or None
        Reads the frames that are not at hand yet, which takes a while; None when there are none.
    """

    title: str
    image: Image | None = None
    cortex: Mapping[Hemisphere, Cortex] = field(default_factory=dict)
    tables: tuple[tuple[Label, ...], ...] = ()
    unit: str = ""
    statistic: str = ""
    space: str | None = None
    times: FrameTimes | None = None
    frame_names: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    notes: Mapping[str, Any] = field(default_factory=dict)
    simulated: bool = False
    box_mm: tuple[Point, Point] | None = None
    rest: Callable[[Callable[[float], None]], None] | None = None

    @property
    def n_frames(self) -> int:
        """Frames of the image or of the cortical data."""
        if self.image is not None:
            return self.image.n_frames
        return max((data.n_frames for data in self.cortex.values()), default=1)

    @property
    def is_labels(self) -> bool:
        """Whether values stand for names."""
        return bool(self.tables)

    def labels(self, frame: int = 0) -> tuple[Label, ...]:
        """What the values of a frame stand for; empty when they are numbers."""
        return self.tables[min(frame, len(self.tables) - 1)] if self.tables else ()

    @property
    def nbytes(self) -> int:
        """Memory held by the image."""
        return 0 if self.image is None else self.image.nbytes
