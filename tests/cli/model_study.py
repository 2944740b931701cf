"""A small simulated study for tests of `habena model`: images, their tables, and what the maps hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import nibabel as nib
import numpy as np
import pandas as pd
from command_line import AFFINE, document, write_image
from numpy.typing import NDArray

N = 14
SHAPE = (7, 6, 5)
RIGHT_HANDED = AFFINE @ np.diag([-1.0, 1, 1, 1]) + np.array([[0, 0, 0, -90.0], [0] * 4, [0] * 4, [0] * 4])
EFFECT_IJK = (1, 4, 1)  # where group b has more
CONSTANT_IJK, NAN_IJK = (5, 1, 3), (0, 0, 4)
NAME = "desc-simulated_space-MNI152NLin6Asym_pet.nii.gz"


class Study(NamedTuple):
    """Images (n, x, y, z), a grey-matter covariate of the same shape, and the table that names both."""

    folder: Path
    table: Path
    images: Path
    data: NDArray[np.float32]
    grey: NDArray[np.float32]
    frame: pd.DataFrame

    def fit(self, formula: str, *more: object, data: object = None) -> dict[str, Any]:
        """The document of a model that must succeed."""
        return document(
            "model", self.images if data is None else data, "--table", self.table, "--formula", formula, *more
        )

    def varies(self) -> NDArray[np.bool_]:
        """Voxels that can be analysed."""
        inside = np.ones(SHAPE, bool)
        inside[CONSTANT_IJK] = inside[NAN_IJK] = False
        return inside


def cross_sectional(folder: Path, affine: NDArray[np.float64] = AFFINE) -> Study:
    """Two unequal groups, one scan each: a 4D image, the same images one by one, and a table with gaps in no row."""
    rng = np.random.default_rng(20)
    group = np.array(list("aababbabaababa"))
    age = rng.normal(40, 9, N).round(1)
    grey = rng.normal(0.5, 0.1, (N, *SHAPE)).astype(np.float32)
    data = rng.normal(10, 1, (N, *SHAPE)) + 2 * grey
    data[(group == "b", *EFFECT_IJK)] += 4
    data[:, 1:3, 3:5, 1] += 2 * (group == "b")[:, None, None]
    data[(slice(None), *CONSTANT_IJK)] = 3
    data[(2, *NAN_IJK)] = np.nan
    data = data.astype(np.float32)
    frame = pd.DataFrame(
        {
            "participant_id": [f"sub-{k:02d}" for k in range(N)],
            "group": group,
            "age": age,
            "sex": list("mfmfmmffmfmffm"),
            "site": list("xyzxyzxyzxyzxy"),
            "score": rng.normal(20, 5, N).round(2),
            "image": [f"sub-{k:02d}_{NAME}" for k in range(N)],
            "grey_file": [f"grey{k:02d}.nii.gz" for k in range(N)],
        }
    )
    for k in range(N):
        write_image(folder / frame["image"][k], data[k], affine)
        write_image(folder / frame["grey_file"][k], grey[k], affine)
    images = write_image(folder / f"all_{NAME}", np.moveaxis(data, 0, -1), affine)
    return Study(folder, write_table(folder / "study.tsv", frame), images, data, grey, frame)


def repeated(folder: Path, levels: tuple[str, ...] = ("pre", "post")) -> Study:
    """Nine people in two unequal groups, a scan at every level; rows in no order."""
    rng = np.random.default_rng(30)
    people, n_levels = 9, len(levels)
    person = np.repeat(np.arange(people), n_levels)
    level = np.tile(np.arange(n_levels), people)
    group = np.array(list("aabababaa"))[person]
    data = rng.normal(10, 1, (len(person), *SHAPE)) + rng.normal(0, 2, (people, *SHAPE))[person]
    data[(np.arange(len(person)), *EFFECT_IJK)] += 1.5 * level * (group == "b")
    frame = pd.DataFrame(
        {
            "subject": [f"{k:03d}" for k in person],
            "session": [levels[k] for k in level],
            "group": group,
            "age": rng.normal(40, 9, people).round(1)[person],
            "grey_file": [f"grey{k:02d}.nii.gz" for k in range(len(person))],
        }
    )
    order = np.arange(len(person))
    order[2:] = rng.permutation(order[2:])  # the first level still comes first
    frame, data = frame.iloc[order].reset_index(drop=True), data[order].astype(np.float32)
    grey = rng.normal(0.5, 0.1, data.shape).astype(np.float32)
    for name, values in zip(frame["grey_file"], grey, strict=True):
        write_image(folder / name, values)
    images = write_image(folder / f"all_{NAME}", np.moveaxis(data, 0, -1))
    return Study(folder, write_table(folder / "study.tsv", frame), images, data, grey, frame)


def write_table(path: Path, frame: pd.DataFrame) -> Path:
    """A TSV of a study."""
    frame.to_csv(path, sep="\t", index=False, na_rep="n/a")
    return path


def read_map(found: dict[str, Any], name: str) -> NDArray[np.float64]:
    """Values of a written map."""
    return np.asarray(nib.load(found["maps"][name]).dataobj, np.float64)


def codes(found: dict[str, Any]) -> list[str]:
    """What a document warns of."""
    return [finding["code"] for finding in found["warnings"]]


def said(found: dict[str, Any], code: str) -> list[str]:
    """Messages of one kind."""
    return [finding["message"] for finding in found["warnings"] if finding["code"] == code]
