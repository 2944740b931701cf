"""Evidence cards: what ships is sound, and a user's card is checked."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from habena.app.evidence import add_card, card_of, evidence_cards, read_card, region_of, template
from habena.app.io.atlases import regions_of
from habena.app.problems import Problem
from habena.resources import folder
from hypothesis import given
from hypothesis import strategies as st

HYPOTHESES = {
    "mtor", "gsk3", "eef2", "plasticity", "inflammation", "anterior-cingulate-hypothesis", "analgesia", "glutamate",
    "opioid", "ampa",
}  # fmt: skip
REGIONS = {
    "habenula", "pallidum", "angular", "thalamus", "anterior-cingulate", "insula", "cerebellum", "parietal",
    "occipital",
}  # fmt: skip


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return tmp_path / "evidence"


def test_every_hypothesis_and_region_has_a_card(own):
    cards, problems = evidence_cards(own)
    assert not problems
    assert {card.id for card in cards if card.kind == "hypothesis"} == HYPOTHESES
    assert {card.id for card in cards if card.kind == "region"} == REGIONS


def test_every_card_has_a_source_with_a_doi_and_says_how_much_of_it_was_read(own):
    for card in evidence_cards(own)[0]:
        assert any(re.fullmatch(r"10\.\d{4,9}/\S+", source.doi) for source in card.sources.values()), card.id
        assert all(source.read for source in card.sources.values())
        assert card.levels
        assert card.in_favour


def test_only_the_cingulate_and_glutamate_hypotheses_link_to_a_place(own):
    hypotheses = [card for card in evidence_cards(own)[0] if card.kind == "hypothesis"]
    assert {card.id for card in hypotheses if card.places} == {"anterior-cingulate-hypothesis", "glutamate"}


@pytest.mark.parametrize("path", sorted(folder("evidence").glob("*.toml")), ids=lambda path: path.stem)
def test_places_are_regions_of_the_atlases(path):
    for place in tomllib.loads(path.read_text(encoding="utf-8")).get("places", []):
        card = read_card(path)
        assert any(card.is_about(region) for region in regions_of(place["atlas"])), place


def test_pathways_say_that_no_image_measures_them(own):
    cards = {card.id: card for card in evidence_cards(own)[0]}
    for name in ("mtor", "gsk3", "eef2"):
        assert "No loaded image measures mTOR, GSK3, eEF2 or cytokines" in cards[name].cannot_show
        assert not cards[name].places


def test_the_card_of_a_place_is_that_of_its_most_specific_region(own):
    cards, _ = evidence_cards(own)
    habenula = next(region for region in regions_of("cit168") if region.abbreviation == "HN_LH")
    thalamus = next(region for region in regions_of("aal2") if region.abbreviation == "Thalamus_L")
    frontal = next(region for region in regions_of("aal2") if region.abbreviation == "Precentral_L")
    assert card_of([habenula, thalamus], cards).id == "habenula"
    assert card_of([thalamus], cards).id == "thalamus"
    assert card_of([frontal], cards) is None


def test_the_place_of_a_card_is_a_region_to_go_to(own):
    cards = {card.id: card for card in evidence_cards(own)[0]}
    assert region_of(cards["angular"]).abbreviation == "Angular_L"
    assert region_of(cards["mtor"]) is None


def test_the_template_is_a_card(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(template(), encoding="utf-8")
    card = read_card(path)
    assert card.sources["somebody2020"].doi == "10.1000/example"
    assert card.in_favour[0].n == 12


def test_an_own_card_is_kept_and_takes_the_place_of_a_shipped_one(tmp_path, own):
    path = tmp_path / "habenula.toml"
    path.write_text(template().replace("What it is about", "My habenula"), encoding="utf-8")
    add_card(path, own)
    cards, problems = evidence_cards(own)
    assert not problems
    (mine,) = [card for card in cards if card.id == "habenula"]
    assert (mine.title, mine.shadows, mine.own) == ("My habenula", True, own / "habenula.toml")
    with pytest.raises(Problem, match="is there already"):
        add_card(path, own)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('levels = ["human"] ', 'levels = ["plant"] '), "levels"),
        (('kind = "hypothesis"', 'kind = "rumour"'), "kind"),
        (('claim = "One sentence that could be wrong."', ""), "claim"),
        (("n = 12\n", 'n = "many"\n'), "n"),
        (('source = "somebody2020"\ndesign', 'source = "nobody1999"\ndesign'), "nobody1999"),
        (('doi = "10.1000/example"', 'doi = "https://doi.org/10.1000/example"'), "no DOI"),
        (("title", "titel"), "titel"),
        (("[can_show]", "[can_show"), "TOML"),
    ],
)
def test_a_bad_card_is_refused_with_its_file_and_field(tmp_path, change, said):
    path = tmp_path / "mine.toml"
    text = template()
    assert change[0] in text
    path.write_text(text.replace(*change), encoding="utf-8")
    with pytest.raises(Problem, match=said) as refused:
        read_card(path)
    assert refused.value.where == str(path)


def test_a_bad_card_does_not_hide_the_others(own):
    own.mkdir()
    (own / "mine.toml").write_text("title = 1", encoding="utf-8")
    cards, problems = evidence_cards(own)
    assert len(cards) == len(HYPOTHESES | REGIONS)
    assert [problem.where for problem in problems] == [str(own / "mine.toml")]


@given(content=st.binary(max_size=300))
def test_whatever_a_file_holds_it_is_a_card_or_a_problem(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("cards") / "mine.toml"
    path.write_bytes(content)
    with pytest.raises(Problem):
        read_card(path)
