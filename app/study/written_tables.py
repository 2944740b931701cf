"""Tables of an answer: TSV files with sidecars that describe every column."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..io.files import replacing
from ..io.write import plain_json
from .answers import Answered
from .told import COLUMNS, regions_frame
from .veil import Veil

if TYPE_CHECKING:
    import pandas as pd

    from .values import Study

MISSING = "n/a"


@dataclass(frozen=True, eq=False)
class Writing:
    """What all files of an answer have in common."""

    answered: Answered
    folder: Path
    study: Study
    veil: Veil
    record: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """Label of the question in file names."""
        return self.answered.plan.ask.kind

    def named(self, name: str) -> Path:
        """Place of a file."""
        return self.folder / name


def write_tables(work: Writing) -> list[str]:
    """Regions, clusters and further tables; gives the names of their files."""
    answered = work.answered
    units = {"effect": answered.plan.unit, "ci_low": answered.plan.unit, "ci_high": answered.plan.unit}
    made = {"regions": regions_frame(answered)} if answered.regions else {}
    if answered.clusters:
        made["clusters"] = _clusters_frame(answered)
    made |= {str(name): frame for name, frame in answered.tables.items()}
    names: list[str] = []
    for name, frame in made.items():
        path = work.named(f"desc-{work.kind}_{_label(name)}.tsv")
        _write_text(path, _tsv(work.veil.frame(frame)))
        about = {
            str(column): _described(work, name, str(column), units.get(str(column), "")) for column in frame.columns
        }
        write_json(path.with_name(sidecar_of(path.name)), about | {"GeneratedFrom": dict(work.record)})
        names.append(path.name)
    return names


def _described(work: Writing, table: str, column: str, unit: str) -> dict[str, str]:
    words = COLUMNS.get(column) if table == "regions" else None
    words = words or work.study.descriptions.get(column) or column.replace("_", " ")
    if column == "effect":
        words = f"{words} {work.answered.plan.effect_name}."
    return {"Description": words, **({"Units": unit} if unit else {})}


def _clusters_frame(answered: Answered) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415 - slow to import

    rows: list[dict[str, Any]] = []
    for cluster in answered.clusters:
        x, y, z = cluster.get("peak_mm") or (None, None, None)
        regions = "; ".join(f"{each['name']} {each['share']:.2f}" for each in cluster.get("regions") or ())
        rows.append(
            {name: cluster.get(name) for name in ("test", "sign", "size_mm3", "p", "peak_value")}
            | {"peak_x_mm": x, "peak_y_mm": y, "peak_z_mm": z, "regions": regions}
        )
    return pd.DataFrame(rows)


def _label(name: str) -> str:
    """A table's name as the last part of a file's: ``timeCourse``."""
    first, *rest = re.findall(r"[A-Za-z0-9]+", name) or ["table"]
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def _tsv(frame: pd.DataFrame) -> str:
    flat = frame.map(lambda cell: " ".join(cell.split()) if isinstance(cell, str) else cell)
    out = io.StringIO()
    flat.to_csv(out, sep="\t", index=False, na_rep=MISSING, lineterminator="\n")
    return out.getvalue()


def _write_text(path: Path, text: str) -> None:
    with replacing(path) as file:
        file.write(text.encode())


def sidecar_of(name: str) -> str:
    """Name of the file that describes another."""
    return name.removesuffix(".gz").rpartition(".")[0] + ".json"


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """A JSON file that appears whole or not at all."""
    with replacing(path) as file:
        file.write(plain_json(content))
