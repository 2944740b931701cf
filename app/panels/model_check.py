"""What can be said of a model while it is written: its design, tests and power, or what is wrong and where."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from msgspec.structs import replace as changed

from ...stats.contrasts import Contrast
from ...stats.errors import CannotCompute
from ...stats.power import Sensitivity
from ...widgets.model_design import DesignPicture
from ...widgets.model_settings import ModelSettings
from ..io.study_table import StudyTable, column_of, paths_of, read_table
from ..model_data import who
from ..model_inference import check_inference
from ..model_parts import Laid, Part, lay_out
from ..model_traps import CORRECTED_LEVEL, STRICT, scans_not_independent
from ..models import TABLE, Model
from ..problems import Finding, Problem
from ..study.prepared import concrete
from .model_question import in_words, inference_of, model_of, rows_of

FIELD_OF = {
    "--within": "subject",
    "--exchange": "exchange",
    "--variance": "by_group",
    "--voxelwise": "voxelwise",
    "--contrast": "contrasts",
    "--terms": "contrasts",
    "voxelwise": "voxelwise",
}
"""Which field an option of the command line is."""
NAMED = 6  # of many tests, in a line of words


@dataclass(frozen=True)
class AskedTest:
    """A test before it is fitted.

    Attributes
    ----------
    name : str
    statistic : "t" or "F"
    df : (float, float)
    permuted : bool
        Whether it can be tested by permutation.
    """

    name: str
    statistic: str
    df: tuple[float, float]
    permuted: bool


@dataclass(frozen=True, eq=False)
class Check:
    """The answer to a form.

    Attributes
    ----------
    settings : ModelSettings
    columns, texts : tuple of str
        Of the table; those that hold text.
    problems : mapping of field to text
    designs : tuple of DesignPicture
    tests : tuple of AskedTest
    words, power : str
    findings : tuple of Finding
    """

    settings: ModelSettings
    columns: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    problems: Mapping[str, str] = field(default_factory=dict)
    designs: tuple[DesignPicture, ...] = ()
    tests: tuple[AskedTest, ...] = ()
    words: str = ""
    power: str = ""
    findings: tuple[Finding, ...] = ()


def check(settings: ModelSettings) -> Check:
    """Look at a form: read its table, lay its model out."""
    made = Check(settings)
    if not settings.table:
        return made
    problems: dict[str, str] = {}
    with _under("table", problems):
        files = None if rows_of(settings.table) is None else concrete(model_of(settings))
        table = read_table(settings.table if files is None else files.table)
        texts = tuple(str(name) for name in table.frame.columns if table.frame[name].dtype.kind not in "fi")
        made = replace(made, columns=tuple(map(str, table.frame.columns)), texts=texts)
        with _under("inference", problems):
            check_inference(inference_of(settings))
        with _under("formula", problems):
            model = files or model_of(settings)
            _check_columns(model, table)
            laid = lay_out(changed(model, contrasts=()), table)
            with _under("contrasts", problems):
                laid = lay_out(model, table) if model.contrasts else laid
            made = _described(made, model, laid)
            chosen = settings if files is None else replace(settings, file="", column="")  # a study's own are there
            _check_data(model, chosen, laid, problems)
    return replace(made, problems=problems)


@contextmanager
def _under(name: str, problems: dict[str, str]) -> Generator[None]:
    """Say what is wrong under a field, unless it is about another one."""
    try:
        yield
    except Problem as problem:
        problems.setdefault(FIELD_OF.get(problem.where, name), in_words(problem))


def _check_columns(model: Model, table: StudyTable) -> None:
    """Columns that the table must have, each told under its own field."""
    asked = [("--within", model.within or model.subject), ("--exchange", model.exchange)]
    asked += [("--voxelwise", column) for _, column in model.voxelwise]
    for option, column in asked:
        if column is not None:
            try:
                column_of(table, column)
            except Problem as problem:
                raise Problem(option, problem.what, problem.todo) from problem


def _check_data(model: Model, settings: ModelSettings, laid: Laid, problems: dict[str, str]) -> None:
    if settings.data == "column" and settings.column:
        with _under("column", problems):
            paths_of(laid.table, settings.column, laid.rows.tolist())
    if settings.data == "table" and laid.outcome is None:
        problems["formula"] = "Names no outcome of numbers; write it on the left, such as madrs ~ group."
    data = settings.file if settings.data == "file" else ""
    for name, path in (("file", data), ("mask", settings.mask), ("surface", settings.surface)):
        if path and not Path(path).is_file():
            problems[name] = "Is not there; choose it again."
    if settings.region.strip():
        from ..finder import resolve_region  # noqa: PLC0415 - reads atlases

        with _under("region", problems):
            resolve_region(model.region or "", model.atlas)


def _described(made: Check, model: Model, laid: Laid) -> Check:
    tests = tuple(_asked(model, part, each) for part in laid.parts for each in part.contrasts)
    return replace(
        made,
        designs=tuple(_picture(model, laid, part) for part in laid.parts),
        tests=tests,
        words=words_of(model, laid),
        power=_power(made.settings, tests),
        findings=(*laid.findings, *_left_side(model, laid), *scans_not_independent(model, laid)),
    )


def _left_side(model: Model, laid: Laid) -> tuple[Finding, ...]:
    """A formula's outcome beside data of their own."""
    if model.data == TABLE or laid.outcome is None:
        return ()
    outcome = model.formula.partition("~")[0].strip()
    message = f"{outcome}, left of ~, is not what is explained: the images are. It only leaves out scans without it."
    return (Finding("left-side-unused", outcome, None, message),)


def some_of(names: Iterable[str]) -> str:
    """Names in a line, the first few of many."""
    listed = list(names)
    more = len(listed) - NAMED
    return ", ".join(listed[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _asked(model: Model, part: Part, asked: Contrast) -> AskedTest:
    rows, n = len(asked.weights), len(part.design.matrix)
    if part.repeated is not None:
        levels = len(part.repeated.levels) - 1
        return AskedTest(
            asked.name, "F", (float(rows * levels), float((n - part.design.matrix.shape[1]) * levels)), False
        )
    df = (float(rows), float(n - len(part.design.columns)))
    return AskedTest(asked.name, "F" if model.terms or rows > 1 else "t", df, permuted=True)


def _picture(model: Model, laid: Laid, part: Part) -> DesignPicture:
    return DesignPicture(_kind(laid, part), part.design.matrix, part.design.names, observations_of(model, laid, part))


def _kind(laid: Laid, part: Part) -> str:
    """What an observation of a part is, where there are several parts."""
    if len(laid.parts) == 1:
        return ""
    differs = part.repeated is not None or (part.combine is not None and bool((part.combine < 0).any()))
    return "Differences within subjects" if differs else "Means of subjects"


def observations_of(model: Model, laid: Laid, part: Part) -> tuple[str, ...]:
    """Whose each observation of a part is."""
    rows = laid.rows.tolist()
    if part.repeated is not None:
        return tuple(who(laid.table, rows[int(scans[0])], model.subject) for scans in part.repeated.rows)
    if part.combine is None:
        return tuple(who(laid.table, row, model.subject) for row in rows)
    return tuple(who(laid.table, rows[int(weights.nonzero()[0][0])], model.subject) for weights in part.combine)


def words_of(model: Model, laid: Laid) -> str:
    """The model in words."""
    what = "The outcome" if model.data == TABLE else "Each voxel, vertex or region"
    texts: list[str] = []
    for part in laid.parts:
        design = part.design
        names = [term.name for term in design.terms if term.name != "Intercept"]
        explained = f"by {', '.join(names)}" if names else "by its mean alone"
        n, p = len(design.matrix), len(design.columns)
        kind = _kind(laid, part)
        lead = f"{kind}: {n} observations" if kind else f"{what} of {n} scans"
        columns = f"{p} column" + ("s" if p > 1 else "")
        texts.append(f"{lead} explained {explained}; {columns}, {n - p} residual degrees of freedom.")
    return " ".join(texts)


def _power(settings: ModelSettings, tests: tuple[AskedTest, ...]) -> str:
    """The smallest true effects that would be found, as `model_traps.power_lines` says of a fitted model."""
    alpha = CORRECTED_LEVEL if settings.data == "table" else STRICT
    sizes: dict[str, list[str]] = {}
    for each in tests:
        a, b = each.df
        try:
            if each.statistic == "F":
                size, sign = Sensitivity("f2", (a, b), a + b + 1, alpha).detectable(), "f²"
            else:
                found = Sensitivity("r", (1.0, b), b + 2, alpha, two_sided=not settings.one_sided)
                size, sign = found.detectable(), "|r|"
        except CannotCompute:
            continue
        sizes.setdefault(f"{sign} ≥ {size:.2f}", []).append(each.name)
    if not sizes:
        return ""
    lines = [f"{some_of(names)} {size}" for size, names in sizes.items()]
    return f"Found in 80 % of such studies at p < {alpha:g} (partial effects): {'; '.join(lines)}."
