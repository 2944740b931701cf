"""Names of BIDS: ``sub-01_ses-pre_task-rest_bold.nii.gz`` is entities, a suffix and an extension."""

from __future__ import annotations

import re
from typing import NamedTuple

_ENTITY = re.compile(r"([A-Za-z0-9]+)-([^_./\\]+)")
_SUFFIX = re.compile(r"[A-Za-z0-9]+")
_IMAGES = (".nii.gz", ".nii")


class BidsName(NamedTuple):
    """A file's name, taken apart.

    Attributes
    ----------
    entities : tuple of (str, str)
        Such as ``("sub", "01")``, in the order of the name.
    suffix : str
        Such as ``bold``.
    extension : str
        With its dots: ``.nii.gz``; empty for none.
    """

    entities: tuple[tuple[str, str], ...]
    suffix: str
    extension: str

    def get(self, key: str) -> str | None:
        """Value of an entity, None when the name has none."""
        return next((value for name, value in self.entities if name == key), None)

    def without(self, *keys: str) -> frozenset[tuple[str, str]]:
        """All entities but these, whatever their order."""
        return frozenset(pair for pair in self.entities if pair[0] not in keys)

    @property
    def is_image(self) -> bool:
        """Whether it names a NIfTI volume: ``.dtseries.nii`` and its like do not."""
        return self.extension in _IMAGES

    def __str__(self) -> str:
        """The name, as it was."""
        return "_".join([*(f"{key}-{value}" for key, value in self.entities), self.suffix]) + self.extension


def parse_name(name: str) -> BidsName | None:
    """Take a file's name apart.

    Returns
    -------
    BidsName or None
        None when it is no such name: a part that is no entity, an entity that occurs twice, no suffix.
    """
    stem, dot, rest = name.partition(".")
    *parts, suffix = stem.split("_")
    found = [_ENTITY.fullmatch(part) for part in parts]
    entities = tuple((match[1], match[2]) for match in found if match)
    keys = {key for key, _ in entities}
    if not entities or len(keys) != len(parts) or not _SUFFIX.fullmatch(suffix):
        return None
    return BidsName(entities, suffix, dot + rest)
