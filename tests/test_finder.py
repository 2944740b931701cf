"""Regions by name, as typed into the search box and on the command line."""

from __future__ import annotations

import pytest
from habena.app.atlas import Region
from habena.app.finder import caution, find, jumps, resolve, resolve_region, synonyms
from habena.app.io.atlases import atlas_ids, describe, load_atlas, regions_of
from habena.app.problems import Problem
from hypothesis import given, settings
from hypothesis import strategies as st

ALL = tuple(region for atlas_id in atlas_ids() for region in regions_of(atlas_id))


def titles(text: str, limit: int = 2) -> list[str]:
    return [f"{match.region.title} {match.region.atlas}" for match in find(text, ALL, limit)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hab", ["Habenula L cit168", "Habenula R cit168"]),
        ("HÁBE", ["Habenula L cit168", "Habenula R cit168"]),
        ("hab l", ["Habenula L cit168"]),
        ("left hab", ["Habenula L cit168"]),
        ("habenula rh", ["Habenula R cit168"]),
        ("LHb", ["Habenula L cit168", "Habenula R cit168"]),
        ("lateral habenula r", ["Habenula R cit168"]),
        ("angular", ["Angular L aal2", "Angular R aal2"]),
        ("ACC", ["Cingulate anterior L aal2", "Cingulate anterior R aal2"]),
        ("anterior cingulate r", ["Cingulate anterior R aal2", "Anterior Cingulate talairach-gyrus"]),
        ("gpe", ["Globus pallidus external L cit168", "Globus pallidus external R cit168"]),
        ("gpi l", ["Globus pallidus internal L cit168"]),
        ("post ins", ["Posterior insula L neuromorphometrics", "Posterior insula R neuromorphometrics"]),
        ("pins l", ["Posterior insula L neuromorphometrics"]),
        ("thal", ["Thalamus L aal2", "Thalamus R aal2"]),
        ("xyzzy", []),
        ("", []),
        ("   ", []),
    ],
)
def test_what_is_typed_finds(text: str, expected: list[str]):
    assert titles(text) == expected


def test_the_pallidum_is_found_under_either_name():
    found = {match.region.abbreviation for match in find("pallidum", ALL, 40)}
    assert {"Pallidum_L", "GPe_LH", "GPi_RH"} <= found


def test_the_lateral_habenula_is_found_with_a_caution():
    assert all("not separable" in match.note for match in find("LHb", ALL))
    assert all(not match.note for match in find("hab", ALL))
    assert "not separable" in caution("LHb L")
    assert caution("Habenula L") == ""


def test_starts_of_words_come_before_middles():
    found = [match.region.name for match in find("central", regions_of("aal2"))]
    assert found == [
        "Precentral",
        "Precentral",
        "Postcentral",
        "Postcentral",
        "Paracentral lobule",
        "Paracentral lobule",
    ]
    assert find("para", regions_of("aal2"))[0].region.name in {"Paracentral lobule", "Parahippocampal"}


def test_every_region_is_found_first_by_its_own_title():
    for atlas_id in atlas_ids():
        for region in regions_of(atlas_id):
            best = find(region.title, regions_of(atlas_id), 1)[0].region
            assert best == region


@given(st.text(max_size=30))
@settings(max_examples=100, deadline=None)
def test_any_text_gives_ranked_matches(text: str):
    found = find(text, regions_of("aal2"))
    assert [match.score for match in found] == sorted(match.score for match in found)


def resolved(name: str, atlas_id: str | None = None) -> list[str]:
    return [f"{region.title} {region.atlas}" for region in resolve_region(name, atlas_id)]


@pytest.mark.parametrize(
    ("name", "atlas_id", "expected"),
    [
        ("Habenula L", None, ["Habenula L cit168"]),
        ("habenula both", None, ["Habenula L cit168", "Habenula R cit168"]),
        ("both habenula", "CIT168", ["Habenula L cit168", "Habenula R cit168"]),
        ("HN_RH", None, ["Habenula R cit168"]),
        ("Angular_L", None, ["Angular L aal2"]),
        ("right angular", "aal2", ["Angular R aal2"]),
        ("angular gyrus both", "aal2", ["Angular L aal2", "Angular R aal2"]),
        ("thalamus r", "AAL2", ["Thalamus R aal2"]),
        ("anterior cingulate l", "aal2", ["Cingulate anterior L aal2"]),
        ("ACC l", "aal2", ["Cingulate anterior L aal2"]),
        ("posterior insula L", None, ["Posterior insula L neuromorphometrics"]),
        ("Angular Gyrus", "talairach-gyrus", ["Angular Gyrus talairach-gyrus"]),
        ("Vermis_6", None, ["Vermis 6 aal2"]),
        ("LHb R", None, ["Habenula R cit168"]),
    ],
)
def test_names_of_the_command_line(name: str, atlas_id: str | None, expected: list[str]):
    assert resolved(name, atlas_id) == expected


@pytest.mark.parametrize(
    ("name", "atlas_id", "message"),
    [
        ("habenula", None, "Habenula has two sides; ask for 'Habenula L', 'Habenula R' or 'Habenula both'"),
        ("thalamus l", None, r"could be Thalamus L \(aal2\), Thalamus L \(harvard-oxford\), .*; name the atlas"),
        ("habenulla l", None, r"no region .*; did you mean Habenula L \(cit168\)"),
        ("frontal l", "aal2", "no region .*; did you mean Frontal superior 2 L"),
        ("xyzzy", None, "no region .*; list the names with `habena regions`"),
        ("angular gyrus l", "talairach-gyrus", "Angular Gyrus has no sides in talairach-gyrus"),
        ("angular gyrus both", "talairach-gyrus", "has no two sides"),
        ("habenula l", "nope", "nope: is no atlas"),
        ("", None, "the region's name: is no region"),
        ("both", None, "is no region"),
    ],
)
def test_names_that_are_not_enough(name: str, atlas_id: str | None, message: str):
    with pytest.raises(Problem, match=message):
        resolve_region(name, atlas_id)


def test_every_title_that_is_listed_is_accepted():
    for atlas_id in atlas_ids():
        for region in regions_of(atlas_id):
            assert resolve_region(region.title, atlas_id) == (region,)
            assert resolve_region(region.abbreviation, atlas_id) == (region,)


def test_two_regions_of_one_name_are_told_apart_by_label():
    twins = [Region("mine", n, "Spot", "L", f"spot{n}", (0, 0, 0)) for n in (1, 2)]
    with pytest.raises(Problem, match="2 regions of mine have this name; ask by label: spot1, spot2"):
        resolve("spot l", twins)
    assert resolve("spot2", twins) == (twins[1],)


def test_a_side_that_is_not_there():
    only = [Region("mine", 1, "Spot", "L", "spot", (0, 0, 0))]
    with pytest.raises(Problem, match="Spot is only on the side L in mine; ask for 'Spot L'"):
        resolve("spot area r", only)


def test_jumps_go_to_regions_of_the_atlases():
    assert len({jump.key for jump in jumps()}) == len(jumps()) == 14
    for jump in jumps():
        region = jump.region
        assert region.side == jump.title[-1]
        place = load_atlas(jump.atlas).centre_mm(region)
        assert (place[0] < 0) == (region.side == "L")
    assert {jump.title.rpartition(" ")[0] for jump in jumps()} == {
        "Habenula",
        "Angular gyrus",
        "Thalamus",
        "Globus pallidus external",
        "Globus pallidus internal",
        "Anterior cingulate",
        "Posterior insula",
    }


def test_every_synonym_leads_to_a_region():
    for synonym in synonyms():
        assert find(synonym.term, ALL), synonym.term
    assert describe("cit168").note.startswith("The habenula is the whole")
