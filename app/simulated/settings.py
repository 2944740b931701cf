"""What a demo study is made by, and how its files are written."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..io.files import replacing
from ..io.write import plain_json
from ..problems import Problem

if TYPE_CHECKING:
    import pandas as pd

Size = Literal["small", "full"]
SIZES: tuple[Size, ...] = ("small", "full")
MAX_EFFECT = 10.0
TEMPLATE = "MNI152NLin2009aSym"
BIDS_VERSION = "1.10.0"


@dataclass(frozen=True)
class Settings:
    """How to simulate.

    Attributes
    ----------
    seed : int
        Of every random stream; 0 or more.
    effect : float
        Factor on everything that is planted; 0 plants nothing.
    size : str
        How many people, and how fine.

    Raises
    ------
    Problem
        When a number makes no sense.
    """

    seed: int = 2026
    effect: float = 1.0
    size: Size = "small"

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise Problem("seed", f"{self.seed} is below 0", "give 0 or more")
        if not 0 <= self.effect <= MAX_EFFECT:
            raise Problem("effect", f"{self.effect:g} is out of range", f"give 0 to {MAX_EFFECT:g}")
        if self.size not in SIZES:
            raise Problem("size", f"there is none named '{self.size}'", f"choose from {', '.join(SIZES)}")

    def rng(self, *words: object) -> np.random.Generator:
        """The stream of random numbers for one purpose, such as ``rng("sub-T01", "noise")``.

        It depends on the seed and the words alone, so that a person is the same whoever else is simulated.
        """
        text = "\0".join(map(str, (self.seed, *words)))
        return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "little"))


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write indented JSON, whole or not at all; folders above are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        file.write(plain_json(content))


def write_tsv(path: Path, table: pd.DataFrame) -> None:
    """Write a table as BIDS has it (tabs, ``n/a`` where nothing is), whole or not at all; folders above are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        file.write(table.to_csv(sep="\t", index=False, na_rep="n/a", lineterminator="\n").encode())


def write_description(folder: Path, name: str, settings: Settings, kind: Literal["raw", "derivative"] = "raw") -> None:
    """Write ``dataset_description.json`` and ``README`` of a simulated data set; both say what it is."""
    description = {
        "Name": f"Simulated: {name}",
        "Simulated": True,
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": kind,
        "License": "CC0",
        "GeneratedBy": [{"Name": "habena demo", "Description": "simulation; nobody was scanned"}],
        "SimulationParameters": {"seed": settings.seed, "effect": settings.effect, "size": settings.size},
    }
    write_json(folder / "dataset_description.json", description)
    text = (
        f"Simulated: {name}\n\nEverything in this folder is simulated: nobody was scanned, and no number here is a "
        "finding about people.\nAnatomy: the MNI152 template. Made by `habena demo` with "
        f"--seed {settings.seed} --effect {settings.effect:g} --size {settings.size}.\n"
    )
    with replacing(folder / "README") as file:
        file.write(text.encode())
