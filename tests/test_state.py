"""The view as a value: JSON round trip, refusal of what is not one, history."""

from __future__ import annotations

import json

import msgspec
import pytest
from habena.app.problems import Problem
from habena.app.recipes import (
    AtlasLabels,
    CrosshairSeed,
    Drawing,
    FileMap,
    MaskSeed,
    PointSeed,
    Preparation,
    RegionMask,
    SeedCorrelation,
    Stroke,
    ThresholdFill,
)
from habena.app.state import (
    Camera,
    Colours,
    Lightbox,
    Marks,
    Modulation,
    Overlay,
    SurfaceView,
    Threshold,
    ViewState,
    Vouched,
    from_json,
    json_schema,
    to_json,
)
from habena.app.store import MAX_STEPS, Store
from hypothesis import given, settings
from hypothesis import strategies as st

numbers = st.floats(allow_nan=False, allow_infinity=False, width=64)
points = st.tuples(numbers, numbers, numbers)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
files = st.builds(FileMap, texts)
regions = st.builds(RegionMask, texts, st.lists(st.integers(0, 9999), max_size=3).map(tuple))
strokes = st.builds(Stroke, st.lists(points, max_size=3).map(tuple), numbers, st.sampled_from([None, 0, 1, 2]))
fills = st.builds(ThresholdFill, points, files, st.integers(0, 9), numbers, numbers, numbers)
drawings = st.builds(Drawing, files, st.lists(strokes | fills, max_size=3).map(tuple), st.none() | regions)
seeds = st.one_of(
    st.builds(CrosshairSeed, numbers),
    st.builds(PointSeed, points, numbers),
    st.builds(MaskSeed, st.one_of(files, regions, drawings)),
)
preparations = st.builds(
    Preparation,
    st.integers(0, 20),
    numbers,
    st.integers(0, 4),
    st.none() | st.tuples(numbers, numbers),
    st.none() | texts,
    st.lists(texts, max_size=3).map(tuple),
    st.none() | numbers,
    st.none() | texts,
)
correlations = st.builds(SeedCorrelation, files, seeds, preparations, st.sampled_from(["r", "z", "p"]))
recipes = st.one_of(files, regions, drawings, correlations, st.builds(AtlasLabels, texts))
colours = st.builds(Colours, texts, numbers, numbers, st.none() | texts, numbers, numbers, inverted=st.booleans())
overlays = st.builds(
    Overlay,
    st.integers(1, 99),
    recipes,
    texts,
    colours,
    st.builds(Threshold, st.none() | numbers, st.none() | numbers, st.sampled_from(["hide", "fade"])),
    numbers,
    modulation=st.none() | st.builds(Modulation, recipes, st.sampled_from(["alpha", "clip"]), numbers, numbers),
    space=st.none() | texts,
)
views = st.builds(
    ViewState,
    crosshair_mm=points,
    overlays=st.lists(overlays, max_size=4).map(tuple),
    selected=st.none() | st.integers(1, 99),
    layout=st.sampled_from(["ortho", "axial", "lightbox", "surface", "ortho+surface", "3d"]),
    lightbox=st.builds(Lightbox, st.sampled_from(["axial", "coronal"]), st.integers(1, 9), st.integers(1, 9)),
    centre_mm=st.none() | points,
    radiological=st.booleans(),
    marks=st.builds(Marks, st.booleans(), st.booleans()),
    surface=st.builds(
        SurfaceView,
        regions=st.lists(regions, max_size=2).map(tuple),
        camera=st.builds(Camera, numbers, numbers),
    ),
    atlases=st.lists(texts, max_size=3).map(tuple),
    vouched=st.lists(st.builds(Vouched, texts, texts), max_size=2).map(tuple),
)


@settings(max_examples=150, deadline=None)
@given(views)
def test_a_view_survives_json(view: ViewState) -> None:
    again = from_json(to_json(view))
    assert again == view
    assert hash(again) == hash(view)


@settings(max_examples=60, deadline=None)
@given(recipes)
def test_a_recipe_survives_json_alone(recipe: msgspec.Struct) -> None:
    assert msgspec.json.decode(msgspec.json.encode(recipe), type=type(recipe)) == recipe


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"no json",
        b"{}",
        b"[]",
        b'{"schema": "something-else"}',
        b'{"schema": "habena-view", "overlays": 3}',
        b'{"schema": "habena-view", "crosshair_mm": [1, 2]}',
        b'{"schema": "habena-view", "layout": "sideways"}',
        b'{"schema": "habena-view", "version": 999}',
    ],
)
def test_what_is_not_a_view_is_refused_in_one_sentence(text: bytes) -> None:
    with pytest.raises(Problem) as caught:
        from_json(text, "scene.json")
    message = str(caught.value)
    assert message.startswith("scene.json: ")
    assert "\n" not in message


def test_the_schema_names_the_version_and_every_recipe() -> None:
    schema = json.dumps(json_schema())
    for tag in ("file", "region", "atlas", "drawing", "seed", "crosshair", "point", "mask", "stroke", "fill"):
        assert f'"{tag}"' in schema
    assert "version" in schema


def test_a_value_cannot_be_changed() -> None:
    view = ViewState()
    with pytest.raises(AttributeError):
        view.zoom = 2.0  # type: ignore[misc]


def moved(view: ViewState, x: float) -> ViewState:
    return msgspec.structs.replace(view, crosshair_mm=(x, 0.0, 0.0))


def test_a_drag_is_one_step_back() -> None:
    seen: list[ViewState] = []
    store = Store(ViewState(), seen.append)
    for x in range(1, 6):
        store.update(moved(store.state, x), "move the crosshair", merge="crosshair")
    store.settle()
    store.update(moved(store.state, 50), "move the crosshair", merge="crosshair")
    store.undo()
    assert store.state.crosshair_mm[0] == 5
    store.undo()
    assert store.state.crosshair_mm[0] == 0
    assert store.undo_name is None
    store.undo()  # nothing left: stays
    assert store.state.crosshair_mm[0] == 0
    store.redo()
    assert store.redo_name == "move the crosshair"
    store.redo()
    assert store.state.crosshair_mm[0] == 50
    assert seen[-1] is store.state


def test_a_new_step_after_undo_drops_what_was_undone() -> None:
    store = Store(ViewState(), lambda _: None)
    for x in (1, 2, 3):
        store.update(moved(store.state, x), f"to {x}")
    store.undo()
    store.undo()
    store.update(moved(store.state, 9), "to 9")
    assert store.redo_name is None
    store.undo()
    assert store.state.crosshair_mm[0] == 1


def test_undo_then_dragging_on_does_not_swallow_the_older_step() -> None:
    store = Store(ViewState(), lambda _: None)
    store.update(moved(store.state, 1), "drag", merge="drag")
    store.settle()
    store.update(moved(store.state, 2), "drag", merge="drag")
    store.undo()
    store.update(moved(store.state, 3), "drag", merge="drag")
    store.undo()
    assert store.state.crosshair_mm[0] == 1


def test_the_same_view_again_is_no_step() -> None:
    store = Store(ViewState(), lambda _: pytest.fail("nothing changed"))
    store.update(ViewState(), "nothing")
    assert store.undo_name is None


def test_history_is_bounded() -> None:
    store = Store(ViewState(), lambda _: None)
    for x in range(MAX_STEPS + 50):
        store.update(moved(store.state, x + 1), "step")
    steps = 0
    while store.undo_name is not None:
        store.undo()
        steps += 1
    assert steps == MAX_STEPS - 1
