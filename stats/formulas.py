"""Model formulas as text: what they mean, without ever running what they say.

The operators of a formula are formulaic's (Wilkinson and Rogers 1973, doi 10.2307/2346786). What stands between them
is read here: a column, a categorical coding ``C(...)``, or arithmetic and a few functions of columns. Formulaic would
run any Python there; a formula may come from a file, so here everything else is refused.
"""

from __future__ import annotations

import ast
import re
from typing import NamedTuple

from formulaic.errors import FormulaicError
from formulaic.parser import DefaultFormulaParser
from formulaic.parser.types import Term as ParsedTerm
from formulaic.parser.types import Token

from .errors import CannotCompute

FUNCTIONS = ("I", "log", "log2", "log10", "exp", "sqrt", "abs", "center", "scale", "poly")
LONGEST = 2000  # characters of a formula
MOST_PRODUCTS = 4096  # terms that operators may multiply out to

_QUOTED = re.compile(r"`([^`]*)`")
_NODES = (
    ast.Expression,
    ast.Name,
    ast.Load,
    ast.Constant,
    ast.Call,
    ast.keyword,
    ast.BinOp,
    ast.UnaryOp,
    ast.Add,
    ast.Sub,
    ast.Mult,
    ast.Div,
    ast.Pow,
    ast.USub,
    ast.UAdd,
)


class Factor(NamedTuple):
    """One factor of a term.

    Attributes
    ----------
    text : str
        As it names columns of the design: ``group``, ``C(group)``, ``log(age)``.
    tree : ast.expr
        Checked: names, numbers, arithmetic, known functions.
    variables : tuple of str
        Columns of the table that it needs.
    """

    text: str
    tree: ast.expr
    variables: tuple[str, ...]


class Formula(NamedTuple):
    """A formula in parts.

    Attributes
    ----------
    response : Factor or None
        Left of ``~``.
    intercept : bool
    terms : tuple of tuple of Factor
        Right of ``~``, lower orders first, without the intercept.
    """

    response: Factor | None
    intercept: bool
    terms: tuple[tuple[Factor, ...], ...]

    @property
    def variables(self) -> tuple[str, ...]:
        """Columns of the table that the right side needs, in the order of the formula."""
        return tuple(dict.fromkeys(name for term in self.terms for factor in term for name in factor.variables))


def parse(text: str) -> Formula:
    """Take a formula apart.

    Parameters
    ----------
    text : str
        ``y ~ group * age + log(dose)`` with ``+ - : * / ** ^ ( ) 0 1``, ``C(...)`` and the functions of `FUNCTIONS`;
        names that are no identifiers stand in backticks; the left side may be missing.

    Raises
    ------
    CannotCompute
        For anything else.
    """
    if not text.strip(" ~"):
        raise CannotCompute("the formula is empty", "write '~ 1' for a mean")
    if len(text) > LONGEST:
        raise CannotCompute(f"the formula has {len(text)} characters", f"shorten it to {LONGEST}")
    parser = DefaultFormulaParser(feature_flags=DefaultFormulaParser.FeatureFlags.TWOSIDED)
    try:
        _check_tokens(list(parser.get_tokens(text, context={})), text)
        parsed = parser.get_terms(text)
    except (FormulaicError, SyntaxError, RecursionError, MemoryError, ValueError, KeyError) as error:
        if isinstance(error, CannotCompute):
            raise
        raise CannotCompute(
            f"'{text}' is not a formula", "write it like 'y ~ group + age', names with spaces in `backticks`"
        ) from error
    left, right = (parsed.lhs, parsed.rhs) if hasattr(parsed, "lhs") else ((), parsed.root)
    responses = [_factors(term) for term in left]
    if len(responses) > 1 or any(len(factors) != 1 for factors in responses):
        raise CannotCompute(f"'{text}' has more than one outcome", "name one on the left of ~")
    if responses and isinstance(responses[0][0].tree, ast.Call) and responses[0][0].text.startswith("C("):
        raise _not_allowed(responses[0][0].text)
    terms = sorted((_factors(term) for term in right), key=len)
    return Formula(responses[0][0] if responses else None, () in terms, tuple(term for term in terms if term))


def _factors(term: ParsedTerm) -> tuple[Factor, ...]:
    """The factors of a term; none for the intercept."""
    return tuple(
        _factor(factor.expr, quoted=factor.eval_method.value == "lookup")
        for factor in term.factors
        if factor.eval_method.value != "literal"
    )


def _factor(text: str, *, quoted: bool) -> Factor:
    """Read one factor; a column of any name when it was `quoted` or a plain name."""
    if quoted:
        return Factor(text, ast.Name(text, ast.Load()), (text,))
    columns: list[str] = []

    def stand_in(match: re.Match[str]) -> str:
        columns.append(match[1])
        return f"_column_{len(columns) - 1}_"

    tree = ast.parse(_QUOTED.sub(stand_in, text), mode="eval").body
    names = {f"_column_{i}_": name for i, name in enumerate(columns)}
    variables: dict[str, None] = {}
    _check(tree, text, names, variables)
    return Factor(text, tree, tuple(variables))


def _check(tree: ast.expr, text: str, names: dict[str, str], variables: dict[str, None]) -> None:
    """Refuse what is not arithmetic of columns; put back names from backticks and list the columns."""
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and tree.func.id == "C":
        if not tree.args or not isinstance(tree.args[0], ast.Name):
            raise _not_allowed(text)
        _check(tree.args[0], text, names, variables)
        return  # what else stands in C(...) is read as data, by formula_values
    for node in ast.walk(tree):
        _check_node(node, text)
    functions = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and id(node) not in functions:
            node.id = names.get(node.id, node.id)
            variables[node.id] = None


def _check_node(node: ast.AST, text: str) -> None:
    plain_number = not isinstance(node, ast.Constant) or (
        isinstance(node.value, (int, float)) and not isinstance(node.value, bool)
    )
    if not isinstance(node, _NODES) or not plain_number:
        raise _not_allowed(text)
    if isinstance(node, ast.Call) and not (isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS):
        raise _not_allowed(text)


def _not_allowed(text: str) -> CannotCompute:
    return CannotCompute(
        f"'{text}' is not allowed in a formula",
        f"use columns, numbers, + - * / **, C(...) and {', '.join(FUNCTIONS)} (arithmetic inside I(...))",
    )


def _check_tokens(tokens: list[Token], text: str) -> None:
    """Refuse numbers that mean nothing, operators that are not offered, and products without end."""
    kinds = Token.Kind
    allowed = {"~", "+", "-", ":", "*", "/", "**", "^", "in"}
    power, products = 1, 0
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.kind is kinds.OPERATOR and token.token not in allowed and set(token.token) - set("+-~:*/"):
            raise CannotCompute(f"'{token.token}' in '{text}' is not offered", "use ~ + - : * / ** ( )")
        if token.kind is kinds.CONTEXT and token.token in {"[", "]"}:
            raise CannotCompute(f"'{token.token}' in '{text}' is not offered", "use round brackets")
        exponent = before is not None and before.token in ("**", "^")
        if token.kind is kinds.VALUE and not exponent and token.token not in ("0", "1"):
            raise CannotCompute(f"the number {token.token} in '{text}' has no meaning there", "write I(2 * age)")
        if exponent:
            power *= int(token.token) if token.token.isdigit() and len(token.token) == 1 else MOST_PRODUCTS
        products += token.token in ("*", "/")
    names = sum(token.kind in (kinds.NAME, kinds.PYTHON) for token in tokens)
    if 2**products > MOST_PRODUCTS or (power > 1 and max(names, 2) ** power > MOST_PRODUCTS):
        raise CannotCompute(f"'{text}' multiplies out to too many terms", "write the terms you need")
