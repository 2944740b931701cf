"""Values on the vertices of a surface, written as GIFTI."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .files import replacing
from .surface_names import Hemisphere
from .write import Record, plain_json, record_content

_STRUCTURES = {"left": "CortexLeft", "right": "CortexRight"}


def write_surface_map(path: Path, values: NDArray[np.float32], side: Hemisphere, record: Record) -> None:
    """Write one value per vertex and the JSON sidecar; both appear whole or not at all.

    Parameters
    ----------
    path : Path
        ``.func.gii``.
    values : (n_vertices,) float32
    side : {"left", "right", ""}
    record : Record
    """
    from .nib import GiftiDataArray, GiftiImage, GiftiMetaData  # noqa: PLC0415 - slow to import

    array: Any = GiftiDataArray(values, intent="NIFTI_INTENT_NONE", datatype="NIFTI_TYPE_FLOAT32")
    meta = {} if side == "" else {"AnatomicalStructurePrimary": _STRUCTURES[side]}
    image: Any = GiftiImage(darrays=[array], meta=GiftiMetaData(meta))
    units = {"Units": record.unit} if record.unit else {}
    sidecar = path.with_name(path.name.removesuffix(".func.gii") + ".json")
    with replacing(sidecar) as beside:
        beside.write(plain_json(units | record_content(record)))
        with replacing(path) as file:
            file.write(image.to_xml())
