"""The values of what stands in a formula: columns of a table, functions of them, categorical codings."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from .arrays import Bool, Float64
from .errors import CannotCompute
from .formulas import Factor

MISSING_TEXTS = ("", "n/a")  # the second is that of BIDS
HIGHEST_POLYNOMIAL = 6

Operation = Callable[[Any, Any], Any]
_ARITHMETIC: dict[type[ast.operator], Operation] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Pow: np.power,
}


class Categories(NamedTuple):
    """A categorical factor.

    Attributes
    ----------
    values : pandas.Series
        Categorical, only levels that occur.
    coding : str
        ``treatment`` or ``sum``.
    reference : object
        Level that treatment coding compares with; None for the first.
    """

    values: pd.Series
    coding: str = "treatment"
    reference: object = None


def is_categorical(column: Any) -> bool:
    """Whether a column is text, true or false, or has categories."""
    return not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)


def missing(column: Any) -> Bool:
    """Which values (n,) are missing: empty, ``n/a`` or not finite."""
    empty = np.array(column.isna(), dtype=np.bool_)
    if is_categorical(column):
        return empty | np.array([str(value).strip() in MISSING_TEXTS for value in column], dtype=np.bool_)
    return empty | ~np.isfinite(column.to_numpy(np.float64, na_value=np.nan))


def evaluate(factor: Factor, table: pd.DataFrame) -> Float64 | Categories:
    """The values of a factor on the rows of a table that have no missing values.

    Returns
    -------
    (n,) or (n, columns) float64, or Categories

    Raises
    ------
    CannotCompute
        When a text is used as a number, or a result is not finite.
    """
    tree = factor.tree
    if isinstance(tree, ast.Name) and is_categorical(table[tree.id]):
        _refuse_spoilt_numbers(table[tree.id])
        return Categories(_categorical(table[tree.id]))
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and tree.func.id == "C":
        return _coded(tree, factor, table)
    with np.errstate(all="ignore"):
        values = np.asarray(_number(tree, table), np.float64)
    values = np.broadcast_to(values, (len(table), *values.shape[1:])) if values.ndim < 2 else values
    if not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values.reshape(len(table), -1)).all(axis=1))[0])
        which = ", ".join(f"{name} = {table[name].iloc[row]}" for name in factor.variables)
        where = f" where {which}" if which else ""
        raise CannotCompute(f"{factor.text} is not a finite number{where}", "change the formula or the table")
    return values


def _refuse_spoilt_numbers(column: Any) -> None:
    """Raise for numbers among which a few texts make the whole column text."""
    texts = [str(value) for value in column]
    numbers: Any = pd.to_numeric(pd.Series(texts), errors="coerce")
    if numbers.isna().any() and numbers.nunique() > len(texts) / 2:
        odd = texts[int(numbers.isna().to_numpy().argmax())]
        raise CannotCompute(
            f"'{column.name}' is numbers but for '{odd}'",
            f"correct the table, or write C({column.name}) for a category",
        )


def _number(tree: ast.expr, table: pd.DataFrame) -> Any:
    if isinstance(tree, ast.Constant):
        return float(tree.value)  # pyright: ignore[reportArgumentType]
    if isinstance(tree, ast.Name):
        if is_categorical(table[tree.id]):
            raise CannotCompute(f"'{tree.id}' is not a column of numbers", "compute with columns of numbers")
        return table[tree.id].to_numpy(np.float64)
    if isinstance(tree, ast.BinOp):
        return _ARITHMETIC[type(tree.op)](_number(tree.left, table), _number(tree.right, table))
    if isinstance(tree, ast.UnaryOp):
        value = _number(tree.operand, table)
        return -value if isinstance(tree.op, ast.USub) else value
    assert isinstance(tree, ast.Call)  # noqa: S101 - all that `formulas` lets through
    return _call(tree, table)


def _call(call: ast.Call, table: pd.DataFrame) -> Any:
    name = ast.unparse(call.func)
    if name == "poly":
        return _polynomial(call, table)
    if len(call.args) != 1 or call.keywords:
        raise CannotCompute(f"'{ast.unparse(call)}' needs one argument", f"write {name}(column)")
    value = _number(call.args[0], table)
    if name == "I":
        return value
    if name in ("center", "scale"):
        centred = value - np.mean(value)
        return centred if name == "center" else centred / np.std(value, ddof=1)
    return getattr(np, name)(value)


def _polynomial(call: ast.Call, table: pd.DataFrame) -> Float64:
    """Orthonormal polynomials of order 1 to N over the values, (n, N), as R's ``poly``."""
    given = [*call.args[1:], *(keyword.value for keyword in call.keywords if keyword.arg == "degree")]
    order = given[0].value if len(given) == 1 and isinstance(given[0], ast.Constant) else None
    if not (isinstance(order, int) and 1 <= order <= HIGHEST_POLYNOMIAL and call.args):
        raise CannotCompute(
            f"'{ast.unparse(call)}' has no order", f"write poly(column, N), N from 1 to {HIGHEST_POLYNOMIAL}"
        )
    x = np.asarray(_number(call.args[0], table), np.float64)
    if len(np.unique(x)) <= order:
        raise CannotCompute(f"'{ast.unparse(call)}' has too few different values", "lower the order")
    x = (x - x.mean()) / np.ptp(x)
    basis, scale = np.linalg.qr(np.vander(x, order + 1, increasing=True))
    return (basis * np.sign(np.diag(scale)))[:, 1:]


def _categorical(column: Any) -> pd.Series:
    values = column.reset_index(drop=True)
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values.cat.remove_unused_categories()
    return values.astype("object").astype("category")


def _coded(call: ast.Call, factor: Factor, table: pd.DataFrame) -> Categories:
    """``C(x)``, ``C(x, Sum)``, ``C(x, Treatment('a'))``, also as ``contr.sum`` and ``contr.treatment('a')``."""
    values = _categorical(table[factor.variables[0]])
    if len(call.args) == 1 and not call.keywords:
        return Categories(values)
    coding = call.args[1] if len(call.args) == 2 and not call.keywords else None
    name, given = (coding.func, coding) if isinstance(coding, ast.Call) else (coding, None)
    kind = {"Sum": "sum", "contr.sum": "sum", "Treatment": "treatment", "contr.treatment": "treatment"}.get(
        ast.unparse(name) if name else ""
    )
    arguments = [*given.args, *(keyword.value for keyword in given.keywords)] if given else []
    if (
        kind is None
        or len(arguments) > (kind == "treatment")
        or not all(isinstance(a, ast.Constant) for a in arguments)
    ):
        raise CannotCompute(f"'{factor.text}' is no coding", "write C(x), C(x, Sum) or C(x, Treatment('level'))")
    levels = {str(level): level for level in values.cat.categories}
    wanted = [str(argument.value) for argument in arguments if isinstance(argument, ast.Constant)]
    if wanted and wanted[0] not in levels:
        raise CannotCompute(f"'{factor.variables[0]}' has no level '{wanted[0]}'", f"it has {', '.join(levels)}")
    return Categories(values, kind, levels[wanted[0]] if wanted else None)
