"""Scans in a person's own space, seen through the transform to the template: nothing is resampled into a file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..answers import Answer, Image, Kind
from ..grid import Affine, Grid
from ..recipes import NativeMap
from ..templates import known_template
from .reading_beside import NATIVE

if TYPE_CHECKING:
    from .values import Scan, Study

THROUGH = "through"  # note of an answer: what a scan is seen through
SAME_SIZE = 0.02  # a change of size below it is not worth saying


@dataclass(frozen=True, eq=False)
class MovedImage:
    """An image at another place: its voxels are those of the file.

    Attributes
    ----------
    image : Image
    grid : Grid
        Shape of the image, and affine to the millimetres of the template.
    """

    image: Image
    grid: Grid

    @property
    def n_frames(self) -> int:
        """As the image."""
        return self.image.n_frames

    @property
    def kind(self) -> Kind:
        """As the image."""
        return self.image.kind

    @property
    def nbytes(self) -> int:
        """As the image."""
        return self.image.nbytes

    def frame(self, index: int = 0) -> NDArray[np.float32]:
        """As the image."""
        return self.image.frame(index)

    def rgba(self, index: int = 0) -> NDArray[np.uint8]:
        """As the image."""
        return self.image.rgba(index)

    def series(self, ijk: tuple[int, int, int]) -> NDArray[np.float32]:
        """As the image."""
        return self.image.series(ijk)

    def ready(self, index: int) -> bool:
        """As the image."""
        return self.image.ready(index)

    def close(self) -> None:
        """Give back the memory of the image."""
        close = getattr(self.image, "close", None)
        if close is not None:
            close()


def native_scans(study: Study, person: str, normalised: Iterable[Scan]) -> tuple[tuple[Scan, NativeMap], ...]:
    """A person's scans in their own space with a transform, of the same sessions and kinds as normalised ones."""
    found: list[tuple[Scan, NativeMap]] = []
    natives = [scan for scan in study.scans_of(participant=person) if scan.space == NATIVE and scan.transform]
    for scan in normalised:
        own = next((each for each in natives if (each.session, each.kind) == (scan.session, scan.kind)), None)
        if own is not None and own is not scan:
            found.append((own, NativeMap(str(own.path), str(own.transform), str(scan.path))))
    return tuple(found)


def native_answer(recipe: NativeMap, opened: Answer) -> Answer:
    """An opened scan at its place in the template.

    Raises
    ------
    Problem
        The transform cannot be read or is not affine, or the scan has no volume.
    """
    from ..display import content_box  # noqa: PLC0415
    from ..io.transforms import read_affine  # noqa: PLC0415
    from ..io.volumes import open_volume  # noqa: PLC0415
    from ..problems import Problem  # noqa: PLC0415

    if opened.image is None:
        raise Problem(recipe.path, "has no volume", "choose an image")
    own, template = opened.image.grid, open_volume(recipe.template).grid
    to_native = read_affine(Path(recipe.transform), own, template)
    image = MovedImage(opened.image, Grid(own.shape, np.linalg.inv(to_native) @ own.affine))
    return replace(
        opened,
        image=image,
        space=_template_of(Path(recipe.transform)),
        box_mm=content_box(image),
        notes={**opened.notes, THROUGH: in_words(to_native), "transform": recipe.transform},
    )


def in_words(to_native: Affine) -> str:
    """What an affine does to a scan: a factor is that of its size."""
    size = abs(float(np.linalg.det(to_native[:3, :3]))) ** (-1 / 3)
    return "affine" if abs(size - 1) < SAME_SIZE else f"affine × {size:.2f}"


def _template_of(transform: Path) -> str | None:
    """The template that a transform's name says it leads to."""
    from ..io.bids_names import parse_name  # noqa: PLC0415

    name = parse_name(transform.name)
    template = None if name is None else known_template(name.get("to"))
    return None if template is None else template.name
