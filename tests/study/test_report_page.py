"""The report of an answer is one valid page that needs no network and runs nothing."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fabricated_answer import EVIL, PEOPLE, ROWS, answered_of, plan_of, study_in
from habena.app.study.answers import Answered
from habena.app.study.asked import Asked
from habena.app.study.asking import Ask
from habena.app.study.report import report_page
from habena.app.study.report_page import clean, element, markup, page
from habena.app.study.values import Study
from habena.app.study.veil import Veil, veil_of
from habena.app.study.written import ask_document
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace as changed

VOID = {"meta", "img"}
PNG = b"\x89PNG\r\n\x1a\n"


class Strict(HTMLParser):
    """Elements, their attributes and their texts; refuses what is not closed in its turn."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def parsed(content: bytes) -> Strict:
    parser = Strict()
    parser.feed(content.decode("utf-8"))
    parser.close()
    assert parser.open == []
    return parser


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return study_in(tmp_path / "study")


def reported(answered: Answered, veil: Veil | None = None, figure: bytes | None = PNG) -> Strict:
    veil = veil or veil_of(PEOPLE)
    result = Asked(answered, ("a.tsv",)).document(veil)
    record: dict[str, Any] = {
        "ask": ask_document(answered.plan.ask, veil),
        "repeat": {"command": "habena ask s change -o OUT", "python": "habena.ask('s', 'change')"},
        "inputs": [{"name": "P01_pet.nii.gz", "bytes": 7, "sha256": "ab" * 32}],
        "software": {"habena": "0.1.0"},
    }
    return parsed(report_page(answered, result, record, veil, figure))


def test_the_page_holds_every_section_in_order(study: Study) -> None:
    page = reported(answered_of(study))
    text = page.texts
    wanted = ["Question", "Data", "Figure", "Regions", "Clusters", "Numbers", "People", "Power", "Warnings"]
    wanted += ["How to repeat it", "Versions, seed and inputs"]
    titles = [text[k] for k in range(len(text)) if text[k] in wanted]
    assert titles == wanted


def test_the_page_reaches_for_nothing_outside_itself(study: Study) -> None:
    page = reported(answered_of(study))
    for tag, attributes in page.found:
        assert tag not in {"script", "link", "iframe", "object", "base", "form", "a"}
        for name, value in attributes.items():
            assert not name.startswith("on")
            assert name != "href"
            assert name != "src" or (value or "").startswith("data:image/png;base64,")
    policies = [each["content"] for tag, each in page.found if tag == "meta" and "http-equiv" in each]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]
    style = "".join(page.texts)
    assert "url(" not in style
    assert "@import" not in style


def test_the_picture_is_inside_the_page(study: Study) -> None:
    (picture,) = [attributes for tag, attributes in reported(answered_of(study)).found if tag == "img"]
    assert base64.b64decode(str(picture["src"]).partition(",")[2]) == PNG
    assert picture["alt"] == answered_of(study).plan.title
    assert not [tag for tag, _ in reported(answered_of(study), figure=None).found if tag == "img"]


def test_text_that_looks_like_markup_is_text(study: Study) -> None:
    page = reported(answered_of(study))
    assert sum(EVIL in text for text in page.texts) >= 5  # title, heading, formula, words, warning, table


@pytest.mark.parametrize("lifted", [False, True])
def test_people_are_named_only_where_that_was_asked_for(study: Study, *, lifted: bool) -> None:
    page = reported(answered_of(study), veil_of(PEOPLE, lifted=lifted))
    text = " ".join(page.texts)
    assert all((name in text) == lifted for name in ("sub-T01", "sub-T10", "anna", "sub-X9"))
    assert ("P03 is left out" in text) != lifted


def test_simulated_data_are_said_first_and_real_ones_are_not_called_so(study: Study) -> None:
    simulated = reported(answered_of(study))
    assert next(attributes.get("class") for tag, attributes in simulated.found if tag == "p") == "banner"
    real = reported(answered_of(study, simulated=False, plan=plan_of(study, title="Change"), words=("Nothing.",)))
    assert "banner" not in [attributes.get("class") for _, attributes in real.found]
    assert "imulated" not in " ".join(real.texts)


def test_every_region_is_listed_with_its_number_direction_and_note(study: Study) -> None:
    page = reported(answered_of(study))
    cells = [text for text in page.texts if text in {"habenula", "thalamus", "pallidum"}]
    assert cells == ["habenula", "habenula", "thalamus", "pallidum"]
    assert "habenula L: keeps 12 % of its own signal" in page.texts
    assert "effect [SUVR per point]" in page.texts
    assert "2 of 4 effects are positive. " in " ".join(page.texts)


def test_choices_that_do_not_bear_on_the_question_are_left_out(study: Study) -> None:
    assert "scaling" in reported(answered_of(study)).texts
    assert "density" not in reported(answered_of(study)).texts
    graph = plan_of(study)
    graph = replace(graph, ask=changed(graph.ask, kind="graph", measure="regions"))
    texts = reported(answered_of(study, plan=graph)).texts
    assert "density" in texts
    assert "scaling" not in texts


def test_how_p_was_found_is_told(study: Study) -> None:
    assert any("parametric" in text for text in reported(answered_of(study)).texts)
    plan = plan_of(study)
    inference = changed(plan.ask.inference, permutations=999, seed=7, correction="tfce")
    permuted = replace(plan, ask=changed(plan.ask, inference=inference))
    texts = reported(answered_of(study, plan=permuted)).texts
    assert "999 and the observed arrangement, seed 7, TFCE with H 2, E 0.5, 6 neighbours" in texts


def test_power_comes_from_the_degrees_of_freedom(study: Study) -> None:
    # two-sided p < .05 at 14 degrees of freedom: |r| = .497 (tables of r)
    text = " ".join(reported(answered_of(study)).texts)
    assert "one region at two-sided p < 0.05 needs a partial |r| of 0.50" in text
    unknown = tuple(row._replace(df=np.nan) for row in ROWS)
    assert "degrees of freedom are not known" in " ".join(reported(answered_of(study, regions=unknown)).texts)


def test_a_long_table_is_cut_and_says_so(study: Study) -> None:
    frame = pd.DataFrame({"participant_id": ["anna"] * 230, "x": np.arange(230)})
    text = " ".join(reported(answered_of(study, tables={"long": frame})).texts)
    assert "30 more rows are in the table beside this page." in text


def test_an_answer_without_regions_maps_or_clusters_is_a_page_too(study: Study) -> None:
    plan = replace(plan_of(study), ask=Ask(str(study.folder), "crossover"))
    bare = Answered(plan, simulated=False, regions=())
    texts = reported(bare, figure=None).texts
    assert "Regions" not in texts
    assert "None." not in texts  # the plan's finding


@given(st.text(), st.text())
def test_whatever_text_goes_in_comes_out_as_text(text: str, attribute: str) -> None:
    found = parsed(page("t", element("p", text, title=attribute)))
    inside = "".join(found.texts[found.texts.index("t") + 1 :]) if found.texts else ""
    assert clean(text).replace("\r", "") in inside.replace("\r", "") or not text.strip()
    (told,) = [attributes["title"] for tag, attributes in found.found if tag == "p"]
    assert told == clean(attribute)


def test_texts_between_elements_keep_their_place() -> None:
    made = element("p", "a", element("b", "c"), "d", None, element("i"), "e<", class_="x", data_k=1)
    assert markup(made) == '<p class="x" data-k="1">a<b>c</b>d<i></i>e&lt;</p>'


def test_characters_that_no_page_may_hold_are_replaced() -> None:
    assert clean("a\x00b\x1bc\ud800d\ufffe\te") == "a\ufffdb\ufffdc\ufffdd\ufffd\te"
    assert re.fullmatch("ß – 😀 µm", clean("ß – 😀 µm"))
