"""From the settings of the model form to the question, and back."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import msgspec

from ...widgets.model_settings import PERMUTED, DataKind, ModelSettings
from ..models import COLUMN, TABLE, Connectivity, Correction, Inference, Model
from ..problems import Problem
from ..study.rows import StudyRows

BETWEEN_STUDY_AND_QUESTION = " :: "
IMAGES = "map"  # the column of a study's prepared images
_OPTION = re.compile(r"--([a-z][a-z-]*)(?: (?:COL|FILE|N)\b)?")


def model_of(settings: ModelSettings) -> Model:
    """The model that the form describes.

    Raises
    ------
    Problem
        The voxelwise covariates are not written as names and columns; ``where`` is ``voxelwise``.
    """
    data = {"file": settings.file, "column": COLUMN + settings.column, "table": TABLE}[settings.data]
    study = rows_of(settings.table)
    if study is not None:  # what its images are the study's question says
        data = TABLE if settings.data == "table" else ""
    return Model(
        data=data,
        table="" if study is not None else settings.table,
        formula=settings.formula,
        contrasts=() if settings.terms else settings.contrasts,
        terms=settings.terms,
        subject=settings.subject or None,
        within=settings.within or None,
        exchange=settings.exchange or None,
        exchange_mode="whole" if settings.exchange_whole and settings.exchange else "within",
        variance="by-group" if settings.by_group else "pooled",
        voxelwise=named_columns(settings.voxelwise),
        exclude=_listed(settings.exclude),
        mask=settings.mask or None,
        region=settings.region.strip() or None,
        atlas=settings.atlas if settings.region.strip() else None,
        surface=settings.surface or None,
        study=study,
    )


def inference_of(settings: ModelSettings) -> Inference:
    """How its tests become p-values."""
    return Inference(
        permutations=settings.permuted,
        seed=settings.seed,
        correction=cast("Correction", settings.correction),
        cluster_p=settings.cluster_p,
        connectivity=cast("Connectivity", settings.connectivity),
        tfce_h=settings.tfce_h,
        tfce_e=settings.tfce_e,
        one_sided=settings.one_sided,
    )


def settings_of(model: Model, inference: Inference) -> ModelSettings:
    """The form of a question."""
    data: DataKind = "table" if model.data == TABLE else "column" if model.data.startswith(COLUMN) else "file"
    if model.study is not None and model.data != TABLE:
        data = "column"
    taken: dict[str, Any] = {"permutations": inference.permutations} if inference.correction in PERMUTED else {}
    return ModelSettings(
        table=model.table if model.study is None else text_of(model.study),
        data=data,
        file=model.data if data == "file" else "",
        column=(model.data.removeprefix(COLUMN) or IMAGES) if data == "column" else "",
        formula=model.formula,
        contrasts=model.contrasts,
        terms=model.terms,
        subject=model.subject or "",
        within=model.within or "",
        exchange=model.exchange or "",
        exchange_whole=model.exchange_mode == "whole",
        by_group=model.variance == "by-group",
        one_sided=inference.one_sided,
        voxelwise=", ".join(f"{name} = {column}" for name, column in model.voxelwise),
        exclude=", ".join(model.exclude),
        mask=model.mask or "",
        region=model.region or "",
        atlas=model.atlas or ModelSettings.atlas,
        surface=model.surface or "",
        correction=inference.correction,
        seed=inference.seed,
        cluster_p=inference.cluster_p,
        connectivity=inference.connectivity,
        tfce_h=inference.tfce_h,
        tfce_e=inference.tfce_e,
        **taken,
    )


# Made on import, which one thread does: two that prepare the same type at once crash in msgspec.
_SAID = msgspec.json.Decoder()
_ROWS = msgspec.json.Decoder(StudyRows)


def text_of(rows: StudyRows) -> str:
    """A study's question in the place of a table: its folder, and what it says beyond the defaults."""
    said = _changed(msgspec.to_builtins(rows), msgspec.to_builtins(StudyRows("")))
    folder = said.pop("study", "")
    return f"{folder}{BETWEEN_STUDY_AND_QUESTION}{msgspec.json.encode(said).decode()}"


def rows_of(table: str) -> StudyRows | None:
    """The reverse of `text_of`; None for a table.

    Raises
    ------
    Problem
        The text was changed into something else; ``where`` is ``table``.
    """
    folder, between, said = table.partition(BETWEEN_STUDY_AND_QUESTION)
    if not between:
        return None
    try:
        return _ROWS.decode(msgspec.json.encode({"study": folder, **_SAID.decode(said)}))
    except (msgspec.DecodeError, TypeError) as error:
        raise Problem("table", "is no question of a study any more", "undo, or ask the study again") from error


def folder_of(table: str) -> Path:
    """Absolute path of a table, or of the study that a question in its place is about."""
    return Path(table.partition(BETWEEN_STUDY_AND_QUESTION)[0]).absolute()


def _changed(value: dict[str, Any], default: dict[str, Any]) -> dict[str, Any]:
    """What differs from the defaults."""
    return {
        name: _changed(each, default[name]) if isinstance(each, dict) and isinstance(default[name], dict) else each
        for name, each in value.items()
        if each != default[name]
    }


def in_words(problem: Problem) -> str:
    """A problem of a field: without the file, and without options of the command line."""
    text = f"{problem.what}; {problem.todo}".rstrip(".")
    text += "" if text.endswith("?") else "."
    text = _OPTION.sub(lambda found: f"“{found[1].replace('-', ' ')}”", text)
    return text[:1].upper() + text[1:]


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def named_columns(text: str) -> tuple[tuple[str, str], ...]:
    """Voxelwise covariates that are written ``name = column``, separated by commas.

    Raises
    ------
    Problem
        A part names nothing.
    """
    found: list[tuple[str, str]] = []
    for part in _listed(text):
        name, _, column = (each.strip() for each in part.partition("="))
        if not (name and column):
            raise Problem("voxelwise", f"'{part}' names no column", "write it as name = column")
        found.append((name, column))
    return tuple(found)
