"""An answer in a folder: maps, tables, figure, report and the question itself, named as BIDS derivatives are."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from shutil import rmtree
from typing import TYPE_CHECKING, Any, get_args
from urllib.parse import quote

from msgspec import to_builtins
from msgspec.structs import replace

from ..io.files import replacing, writing
from ..io.write import Record, software, write_map
from ..outputs import refuse_place
from ..problems import Problem, silent
from .answers import Answered
from .asked import Asked
from .asking import Ask, Kind
from .veil import Veil, veil_of
from .written_inputs import inputs_of
from .written_maps import map_info, map_name, unit_of
from .written_tables import Writing, sidecar_of, write_json, write_tables

if TYPE_CHECKING:
    from .report_figure import Extra
    from .values import Study

Report = Callable[[float], None]
QUESTION, DESCRIPTION, REPORT, FIGURE = "ask.json", "dataset_description.json", "report.html", "figure.png"
BIDS_VERSION = "1.10.0"
ALWAYS = frozenset({QUESTION, DESCRIPTION, REPORT})
NAMED = re.compile(
    rf"(space-[A-Za-z0-9]+_)?desc-({'|'.join(get_args(Kind))})_[A-Za-z0-9_-]+\.(nii\.gz|tsv|json|png)"
)  # maps, tables and figures, with sidecars
MORE = ("multiverse", "sensitivity")  # beside a question; each leaves details of its name


def refuse_folder(folder: Path, study: Path, ask: Ask) -> Path:
    """Refuse a folder that an answer cannot have, before any work is done; nothing is made yet.

    Raises
    ------
    Problem
        It is a file, lies in the study, cannot be written to, or holds anything but an answer to the same question.
    """
    with writing(folder):
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
    from .report import report_page  # noqa: PLC0415

    maps = _write_maps(work, lambda done: report(0.6 * done))
    tables = write_tables(work)
    main, more = _figures(work, maps)
    pictures = _write_figures(work, main, more)
    report(0.9)
    names = [*(path.name for path in maps.values()), *tables, *pictures, REPORT, QUESTION]
    result = Asked(work.answered, tuple(names)).document(work.veil)
    with replacing(work.named(REPORT)) as file:
        file.write(report_page(work.answered, result, work.record, work.veil, main, more))
    write_json(work.named(DESCRIPTION), _description(work))
    written = sorted({*names, *(sidecar_of(name) for name in names if name.endswith((".tsv", ".nii.gz"))), DESCRIPTION})
    asked = {name: work.record[name] for name in ("ask", "repeat", "inputs", "software")}
    write_json(work.named(QUESTION), asked | {"written": written, "result": result})
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
    more = tuple(name for name in MORE if name in answered.details)
    record: dict[str, Any] = {
        "ask": ask_document(ask, veil),
        "repeat": {
            "command": command_line(ask, names=veil.lifted, more=more),
            "python": python_call(ask, names=veil.lifted, more=more),
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


def _figures(work: Writing, maps: Mapping[str, Path]) -> tuple[bytes | None, tuple[Extra, ...]]:
    """The main figure, and others beside it."""
    from .report_figure import figure, more_figures  # noqa: PLC0415 - Qt

    return figure(work.answered, maps), more_figures(work.answered, maps, work.study)


def _write_figures(work: Writing, main: bytes | None, more: Sequence[Extra]) -> list[str]:
    drawn = [] if main is None else [(FIGURE, main)]
    drawn += [(f"{extra.name}.png", extra.png) for extra in more]
    for name, content in drawn:
        with replacing(work.named(f"desc-{work.kind}_{name}")) as file:
            file.write(content)
    return [f"desc-{work.kind}_{name}" for name, _ in drawn]


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
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) and isinstance(found.get("written", []), list) else {}


def _forget(folder: Path, names: set[str]) -> None:
    """Take away what an earlier answer left here and this one has not: files of this folder that answers have."""
    for name in names:
        if (name in ALWAYS or NAMED.fullmatch(name)) and not (folder / name).is_dir():
            with writing(folder / name):
                (folder / name).unlink(missing_ok=True)
