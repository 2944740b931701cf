"""Contrasts as text: weights, arithmetic of columns, terms; what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from habena.stats.contrasts import contrast, term_contrasts
from habena.stats.design import LinearDesign, linear_design
from habena.stats.errors import CannotCompute
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal


def design() -> LinearDesign:
    """Columns: Intercept, g[T.b], g[T.c], x, free water, log(z), g[T.b]:x, g[T.c]:x, grey."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"g": list("abc") * 10, "x": rng.normal(size=30), "z": rng.uniform(1, 2, 30)})
    table["free water"] = rng.normal(size=30)
    return linear_design(table, "y ~ g*x + `free water` + log(z)", voxelwise=("grey",))


DESIGN = design()
COLUMNS = dict(zip(DESIGN.columns, np.eye(9), strict=True))


class TestReading:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("a=1 -1 0 0 0 0 0 0 0", COLUMNS["Intercept"] - COLUMNS["g[T.b]"]),
            ("a=0,1,-1,0,0,0,0,0,0", COLUMNS["g[T.b]"] - COLUMNS["g[T.c]"]),
            ("a=1/3, 0 0 0 0 0 0 0 -1e-1", COLUMNS["Intercept"] / 3 - COLUMNS["grey"] / 10),
            ("a=g[T.b] - 0.5*x", COLUMNS["g[T.b]"] - COLUMNS["x"] / 2),
            ("a = 2*(g[T.b] - g[T.c])/4 + x - x", (COLUMNS["g[T.b]"] - COLUMNS["g[T.c]"]) / 2),
            ("x", COLUMNS["x"]),
            ("free water", COLUMNS["free water"]),
            ("`free water` - -x", COLUMNS["free water"] + COLUMNS["x"]),
            ("a=log(z)*3", 3 * COLUMNS["log(z)"]),
            ("a=g[T.b]:x-x", COLUMNS["g[T.b]:x"] - COLUMNS["x"]),
            ("grey", COLUMNS["grey"]),
            ("a=x + 1 - 1", COLUMNS["x"]),
        ],
    )
    def test_one_row_is_a_t_contrast(self, text: str, expected: np.ndarray) -> None:
        assert_allclose(contrast(text, DESIGN).weights, expected[None], atol=1e-15)

    def test_rows_and_terms_are_f_contrasts(self) -> None:
        both = np.array([COLUMNS["g[T.b]"], COLUMNS["g[T.c]"]])
        assert_array_equal(contrast("any=g[T.b]; g[T.c]", DESIGN).weights, both)
        assert_array_equal(contrast("g", DESIGN).weights, both)
        assert_array_equal(contrast("all=g; x", DESIGN).weights, [*both, COLUMNS["x"]])

    def test_rows_that_follow_from_others_are_left_out(self) -> None:
        found = contrast("pairs=g[T.b]; g[T.c]; g[T.b]-g[T.c]", DESIGN)
        assert found.weights.shape == (2, 9)

    def test_the_name_is_what_stands_before_the_first_equals_sign_or_the_whole(self) -> None:
        assert contrast("drug effect=x", DESIGN).name == "drug effect"
        assert contrast("x", DESIGN).name == "x"
        assert contrast("-x", DESIGN).name == "-x"

    def test_terms_are_all_but_the_intercept(self) -> None:
        found = term_contrasts(DESIGN)
        assert [c.name for c in found] == ["g", "x", "free water", "log(z)", "g:x", "grey"]
        assert [len(c.weights) for c in found] == [2, 1, 1, 1, 2, 1]

    @given(st.lists(st.tuples(st.sampled_from(DESIGN.columns), st.integers(-9, 9)), min_size=1, max_size=6))
    @settings(max_examples=60, deadline=None)
    def test_sums_of_columns_are_read_back(self, parts: list[tuple[str, int]]) -> None:
        expected = np.sum([weight * COLUMNS[name] for name, weight in parts], axis=0)
        text = " + ".join(f"{weight}*`{name}`" for name, weight in parts)
        if expected.any():
            assert_allclose(contrast(f"c={text}", DESIGN).weights[0], expected)
        else:
            with pytest.raises(CannotCompute, match="weighs nothing"):
                contrast(f"c={text}", DESIGN)


class TestRefusals:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("a=1 2", "2 weights, the design 9 columns; give one weight for each of Intercept, g"),
            ("a=0 0 0 0 0 0 0 0 0", "weighs nothing"),
            ("a=x-x", "weighs nothing"),
            ("a=q", "no column 'q'; it has Intercept"),
            ("a=g[T.bb]", "no column 'g.T.bb.'; near: g.T.b."),
            ("a=g - x", "'g' has several columns; ask for it alone, or use g.T.b., g.T.c."),
            ("a=x*grey", "multiplies columns"),
            ("a=x/0", "divides"),
            ("a=1/x", "divides"),
            ("a=x+1", "number without a column"),
            ("a=(x", "before its end"),
            ("a=x)", "at '\\)'"),
            ("a=`x", "wrong"),
            ("a=x; ", "before its end"),
            ("=x", "no contrast"),
            ("a=", "no contrast"),
            ("a=" + "(" * 2000 + "x", "wrong"),
        ],
    )
    def test_says_what_is_wrong(self, text: str, said: str) -> None:
        with pytest.raises(CannotCompute, match=said):
            contrast(text, DESIGN)

    @given(st.text(alphabet="xgrey[T.b]:+-*/()` ;=0123.,", max_size=25))
    @settings(max_examples=200, deadline=None)
    def test_any_text_is_a_contrast_or_a_refusal(self, text: str) -> None:
        try:
            found = contrast(text, DESIGN)
        except CannotCompute:
            return
        assert found.weights.shape[1] == 9
        assert np.linalg.matrix_rank(found.weights) == len(found.weights)
