"""A question from folders to folders: what the command line and the Python API call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..problems import Finding, Problem, silent
from .answers import Answered, Plan
from .asked_more import check_more, with_more
from .bearing import without_part
from .report_repeat import question_of
from .told import regions_frame, row_document, told
from .veil import Veil, veil_of
from .wanted import Wanted, ask_of

if TYPE_CHECKING:
    import pandas as pd

    from .asking import Ask
    from .values import Study

Report = Callable[[float], None]
UNBLIND = "unblind it in the window first"
ANSWERING = 0.85  # share of the work, where an answer is written too


@dataclass(frozen=True, eq=False)
class Asked:
    """The answer to a question of a study.

    Attributes
    ----------
    answered : Answered
        Everything that was found.
    files : tuple of str
        What was written.
    """

    answered: Answered
    files: tuple[str, ...] = ()

    @cached_property
    def regions(self) -> pd.DataFrame:
        """One row per region of the named set, significant or not; of a graph per region and metric."""
        return regions_frame(self.answered)

    @cached_property
    def maps(self) -> dict[str, Any]:
        """Maps by name, as nibabel images."""
        from ..io.nib import Nifti1Image  # noqa: PLC0415 - slow to import

        return {name: Nifti1Image(values, grid.affine) for name, (values, grid) in self.answered.maps.items()}

    @property
    def words(self) -> str:
        """The result in honest sentences."""
        return " ".join(self.answered.words)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What to know about it."""
        return tuple(dict.fromkeys((*self.answered.plan.findings, *self.answered.findings)))

    def document(self, veil: Veil | None = None) -> dict[str, Any]:
        """As one JSON document; `veil` takes names out of what is handed on."""
        veil = veil or Veil(lifted=True)
        plan = self.answered.plan
        base: dict[str, Any] = {
            "question": question_of(plan.ask),
            "simulated": self.answered.simulated,
            "n": dict(plan.n),
            "model": plan.formula,
            "effect_name": plan.effect_name,
            "unit": plan.unit,
            "regions": [row_document(row) for row in self.answered.regions],
            "clusters": veil.value([dict(cluster) for cluster in self.answered.clusters]),
            "files": list(self.files),
        }
        more = {name: veil.value(value) for name, value in self.answered.details.items() if name not in base}
        return base | more | {"warnings": veil.findings(self.findings)}

    def json(self) -> str:
        """What ``habena ask --json`` prints."""
        from ..io.write import plain_json  # noqa: PLC0415

        return plain_json(self.document()).decode()

    def text(self) -> str:
        """For people, on a terminal."""
        return told(self.answered, self.files)


def ask(
    folder: str, question: str, wanted: Wanted | None = None, out: str | None = None, report: Report = silent
) -> Asked:
    """Ask a study a question; the answer is written when a folder is named.

    Parameters
    ----------
    folder : str
        The study.
    question : str
        A kind, or a formula.
    wanted : Wanted, optional
    out : str, optional
        Folder for maps, tables, figure and report, outside the study; new, empty, or with an answer to the same.
    report : callable, optional

    Raises
    ------
    Problem
        The question cannot be answered, and why; the study is blinded; or the folder cannot be written to.
    """
    from .answering import answer  # noqa: PLC0415 - compiled kernels
    from .reading import read_study  # noqa: PLC0415
    from .written import refuse_folder, write_answer  # noqa: PLC0415

    wanted = wanted or Wanted()
    asking = ask_of(folder, question, wanted)
    place = None if out is None else refuse_folder(Path(out), Path(folder), asking)
    share = 1.0 if place is None else ANSWERING
    study = read_study(folder, lambda done: report(0.05 * share * done))
    _refuse_blinded(study)
    made = _plan(study, _from_kept(study, asking, wanted, question), wanted)
    check_more(made, wanted)
    more = 0.5 if wanted.multiverse or wanted.sensitivity else 0.0
    found = answer(made, lambda done: report(share * (0.05 + (0.95 - more) * done)))
    found = with_more(study, found, wanted, lambda done: report(share * (1 - more + more * done)))
    if place is None:
        return Asked(found)
    veil = veil_of(study.participants["participant_id"], lifted=wanted.names)
    files = write_answer(found, place, lambda done: report(share + (1 - share) * done), study=study, veil=veil)
    return Asked(found, files)


def planned(folder: str, question: str, wanted: Wanted | None = None) -> Plan:
    """A question made exact, and nothing computed."""
    from .reading import read_study  # noqa: PLC0415

    wanted = wanted or Wanted()
    asking = ask_of(folder, question, wanted)
    study = read_study(folder)
    _refuse_blinded(study)
    return _plan(study, _from_kept(study, asking, wanted, question), wanted)


def _plan(study: Study, ask: Ask, wanted: Wanted) -> Plan:
    """The plan of a question, with what was asked for in vain among its findings."""
    from .planning import plan  # noqa: PLC0415

    made = plan(study, ask)
    return replace(made, findings=(*made.findings, *without_part(made, wanted)))


def _refuse_blinded(study: Study) -> None:
    """What is blinded stays so: an answer tells arms and sessions apart."""
    from .blinding_kept import is_blinded  # noqa: PLC0415

    if is_blinded(study.folder):
        raise Problem(study.folder, "is blinded, and an answer would tell arms and sessions", UNBLIND)


def _from_kept(study: Study, ask: Ask, wanted: Wanted, question: str) -> Ask:
    """The question with the choices that are kept with the study, where that was wished."""
    if not wanted.kept:
        return ask
    from .kept import choices_of  # noqa: PLC0415

    return ask_of(ask.study, question, wanted, choices_of(study))
