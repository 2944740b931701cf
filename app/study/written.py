"""An answer in a folder: maps, tables, figure, report and the question itself, named as BIDS derivatives are."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from shutil import rmtree
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from msgspec import to_builtins
from msgspec.structs import replace

from ..io.files import replacing, writing
from ..io.write import Record, plain_json, software, write_map
from ..outputs import refuse_place
from ..problems import Problem, silent
from .answers import Answered
from .asked import Asked
from .asking import Ask
from .told import COLUMNS, regions_frame
from .veil import Veil, veil_of
from .written_inputs import inputs_of
from .written_maps import map_info, map_name, unit_of

if TYPE_CHECKING:
    import pandas as pd

    from .values import Study

Report = Callable[[float], None]
QUESTION, DESCRIPTION, REPORT, FIGURE = "ask.json", "dataset_description.json", "report.html", "figure.png"
BIDS_VERSION = "1.10.0"
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


def refuse_folder(folder: Path, study: Path, ask: Ask) -> Path:
    """Refuse a folder that an answer cannot have, before any work is done; nothing is made yet.

    Raises
    ------
    Problem
        It is a file, lies in the study, cannot be written to, or holds anything but an answer to the same question.
    """
    if folder.exists() and not folder.is_dir():
        raise Problem(folder, "is a file", "name a folder with -o")
    place, home = folder.resolve(), study.resolve()
    if home.is_dir() and (place == home or home in place.parents):
        raise Problem(folder, "lies in the study, which is never written to", "name a folder outside of it with -o")
    refuse_place(folder / QUESTION if folder.is_dir() else folder, ())
    if folder.is_dir() and any(not each.name.startswith(".") for each in folder.iterdir()):
        earlier = _earlier(folder).get("ask")
        if not isinstance(earlier, dict) or (earlier.get("kind"), earlier.get("formula")) != (ask.kind, ask.formula):
            raise Problem(folder, "holds other things", "name a new or an empty folder with -o")
    return folder


def write_answer(
    answered: Answered,
    folder: str | Path,
    report: Report = silent,
    *,
    study: Study | None = None,
    veil: Veil | None = None,
) -> tuple[str, ...]:
    """Write an answer; every file appears whole or not at all, the question last.

    Parameters
    ----------
    answered : Answered
    folder : path
        Outside the study; new, empty, or with an answer to the same question, which is replaced.
    report : callable, optional
    study : Study, optional
        Read again when it is not given.
    veil : Veil, optional
        Codes for people; default: rows of the participants' table.

    Returns
    -------
    tuple of str
        Paths of the files, without sidecars.

    Raises
    ------
    Problem
        The folder cannot be used.
    """
    if study is None:
        from .reading import read_study  # noqa: PLC0415

        study = read_study(answered.plan.ask.study)
    folder = refuse_folder(Path(folder), study.folder, answered.plan.ask)
    veil = veil or veil_of(study.participants["participant_id"])
    record = _record(answered, veil, lambda done: report(0.4 * done))
    with _whole(folder) as part:
        names = _write_all(Writing(answered, part, study, veil, record), lambda done: report(0.4 + 0.6 * done))
    return tuple(str(folder / name) for name in names)


def _write_all(work: Writing, report: Report) -> list[str]:
    """Every file of an answer; gives their names without sidecars."""
    maps = _write_maps(work, lambda done: report(0.6 * done))
    tables = _write_tables(work)
    pictures = _write_figure(work, maps)
    report(0.9)
    names = [*(path.name for path in maps.values()), *tables, *pictures, REPORT, QUESTION]
    result = Asked(work.answered, tuple(names)).document(work.veil)
    _write_report(work, result, pictures)
    _write_json(work.named(DESCRIPTION), _description(work))
    written = sorted({*names, *(_sidecar(name) for name in names if name.endswith((".tsv", ".nii.gz"))), DESCRIPTION})
    asked = {name: work.record[name] for name in ("ask", "repeat", "inputs", "software")}
    _write_json(work.named(QUESTION), asked | {"written": written, "result": result})
    report(1.0)
    return names


@contextmanager
def _whole(folder: Path) -> Generator[Path]:
    """A hidden folder whose files move into `folder` once all are written, instead of an earlier answer's."""
    before = set(map(str, _earlier(folder).get("written", [])))
    is_new = not folder.exists()
    part = folder / f".{token_hex(4)}.part"
    with writing(folder):
        part.mkdir(parents=True)
    try:
        yield part
        names = sorted((path.name for path in part.iterdir()), key=lambda name: (name == QUESTION, name))
        with writing(folder):
            for name in names:
                (part / name).replace(folder / name)
        _forget(folder, before - set(names))
    finally:
        rmtree(part, ignore_errors=True)
        if is_new and not any(folder.iterdir()):
            folder.rmdir()


def ask_document(ask: Ask, veil: Veil) -> dict[str, Any]:
    """The question for files: places by their last names, people only where they may be named."""
    told = ask if veil.lifted else replace(ask, exclude=tuple(map(veil.person, ask.exclude)))
    made: dict[str, Any] = to_builtins(replace(told, study=Path(ask.study).name))
    for name in ("grid", "mask", "reference"):
        if made["choices"][name] is not None:
            made["choices"][name] = Path(made["choices"][name]).name
    return made


def _record(answered: Answered, veil: Veil, report: Report) -> dict[str, Any]:
    from .report_repeat import command_line, python_call  # noqa: PLC0415

    ask = answered.plan.ask
    record: dict[str, Any] = {
        "ask": ask_document(ask, veil),
        "repeat": {
            "command": command_line(ask, names=veil.lifted),
            "python": python_call(ask, names=veil.lifted),
        },
        "inputs": inputs_of(answered.inputs, veil, report),
        "software": software(),
    }
    if answered.simulated:
        record["Simulated"] = True
    return record


def _write_maps(work: Writing, report: Report) -> dict[str, Path]:
    plan = work.answered.plan
    written: dict[str, Path] = {}
    for k, (name, (values, grid)) in enumerate(work.answered.maps.items()):
        info = map_info(grid, work.study)
        path = work.named(map_name(name, work.kind, info.space.template))
        parameters: dict[str, Any] = {
            "title": plan.title,
            "map": name,
            "model": plan.formula,
            "effect": plan.effect_name,
            **work.record,
        }
        findings = work.veil.findings((*plan.findings, *work.answered.findings))
        write_map(path, values, info, Record(parameters, (), unit_of(name, plan.unit), findings))
        written[name] = path
        report((k + 1) / len(work.answered.maps))
    return written


def _write_tables(work: Writing) -> list[str]:
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
        _write_json(path.with_name(_sidecar(path.name)), about | {"GeneratedFrom": dict(work.record)})
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


def _write_figure(work: Writing, maps: Mapping[str, Path]) -> list[str]:
    from .report_figure import figure  # noqa: PLC0415 - Qt

    content = figure(work.answered, maps)
    if content is None:
        return []
    name = f"desc-{work.kind}_{FIGURE}"
    with replacing(work.named(name)) as file:
        file.write(content)
    return [name]


def _write_report(work: Writing, result: Mapping[str, Any], pictures: list[str]) -> None:
    from .report import report_page  # noqa: PLC0415

    figure = work.named(pictures[0]).read_bytes() if pictures else None
    with replacing(work.named(REPORT)) as file:
        file.write(report_page(work.answered, result, work.record, work.veil, figure))


def _description(work: Writing) -> dict[str, Any]:
    plan = work.answered.plan
    made: dict[str, Any] = {
        "Name": plan.title,
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": "Habena", "Version": software()["habena"], "Description": plan.words}],
        "SourceDatasets": [{"URL": quote(work.study.folder.name)}],
    }
    return made | ({"Simulated": True} if work.answered.simulated else {})


def _earlier(folder: Path) -> dict[str, Any]:
    """What an answer in a folder says of itself; empty where there is none."""
    try:
        found = json.loads((folder / QUESTION).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) and isinstance(found.get("written", []), list) else {}


def _forget(folder: Path, names: set[str]) -> None:
    """Take away what an earlier answer left here and this one has not: plain names in this folder only."""
    for name in names:
        if re.fullmatch(r"[\w.-]+", name) and not name.startswith("."):
            with writing(folder / name):
                (folder / name).unlink(missing_ok=True)


def _sidecar(name: str) -> str:
    return name.removesuffix(".gz").rpartition(".")[0] + ".json"


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


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    with replacing(path) as file:
        file.write(plain_json(content))
