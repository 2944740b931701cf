"""A graph inside the brain: what is drawn where, what a click finds, and that memory comes back."""

from __future__ import annotations

import gc
import sys
from dataclasses import replace

import numpy as np
import psutil
import pytest
from habena.render.graph_canvas import GraphCanvas
from habena.render.graph_scene import GraphScene, Links, Nodes, aim_of, graph_marks, node_at, placed
from habena.render.marks import Box, Line, Text
from habena.render.scene import Mesh
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkFiltersSources import vtkSphereSource

RED, GREEN, BLUE, YELLOW = (220, 30, 30), (30, 200, 30), (40, 40, 230), (250, 250, 0)
PLACES = np.array([[-50, 0, 0], [50, 0, 0], [0, 50, 20], [0, 50, -40]], np.float32)  # left, right, two in front
SIZE = (300, 240)


def links(*pairs: tuple[int, int], strong: bool = False) -> Links:
    count = len(pairs)
    ends = np.array(pairs, np.int32).reshape(-1, 2)
    return Links(ends, np.tile(np.uint8([YELLOW]), (count, 1)), np.full(count, strong))


@pytest.fixture(scope="module")
def scene() -> GraphScene:
    colours = np.array([RED, GREEN, BLUE, BLUE], np.uint8)
    nodes = Nodes(PLACES, np.full(4, 8.0, np.float32), colours)
    return GraphScene(SIZE, nodes, links((0, 1)), azimuth_deg=180.0, elevation_deg=90.0)


@pytest.fixture(scope="module")
def ball() -> Mesh:
    source = vtkSphereSource()
    source.SetRadius(80.0)
    source.SetThetaResolution(40)
    source.SetPhiResolution(40)
    source.Update()
    data = source.GetOutput()
    faces = vtk_to_numpy(data.GetPolys().GetConnectivityArray()).reshape(-1, 3)
    return Mesh(vtk_to_numpy(data.GetPoints().GetData()).astype(np.float32), faces.astype(np.int32))


@pytest.fixture(scope="module")
def canvas():
    made = GraphCanvas()
    yield made
    made.close()


def colour(picture: np.ndarray, at: np.ndarray) -> np.ndarray:
    x, y = (round(float(v)) for v in at)
    return picture[y, x, :3].astype(int)


def test_nodes_are_balls_of_their_colour_at_their_place_and_edges_lines_between_them(canvas, scene):
    picture = canvas.picture(scene)
    places, _ = placed(scene)
    assert picture.shape == (240, 300, 4)
    assert colour(picture, places[0]).argmax() == 0
    assert colour(picture, places[1]).argmax() == 1
    assert places[0, 0] < places[1, 0], "seen from above, left is on the left"
    x, y = ((places[0] + places[1]) / 2).astype(int)
    assert (picture[y - 1 : y + 2, x, :3] == YELLOW).all(axis=-1).any()


def test_larger_nodes_cover_more_of_the_picture(canvas, scene):
    def covered(radius: float) -> int:
        nodes = replace(scene.nodes, radii_mm=np.full(4, radius, np.float32))
        red = canvas.picture(replace(scene, nodes=nodes, links=links()))[..., :3].astype(int)
        return int(((red[..., 0] > 60) & (red[..., 1] < 60)).sum())

    assert covered(12.0) > 1.5 * covered(8.0) > 0


def test_strong_edges_are_wider(canvas, scene):
    def yellow(strong: bool) -> int:
        picture = canvas.picture(replace(scene, links=links((0, 1), strong=strong)))
        return int((picture[..., :3] == YELLOW).all(axis=-1).sum())

    assert yellow(strong=True) > 1.4 * yellow(strong=False) > 0


def test_the_cortex_is_glass_clear_in_the_middle_and_seen_at_its_edge(canvas, scene, ball):
    with_glass = replace(scene, outline=(ball,), links=links())
    glass, bare = (canvas.picture(s)[..., :3].astype(int) for s in (with_glass, replace(with_glass, outline=())))
    places, _ = placed(with_glass)
    assert colour(glass, places[0]).argmax() == 0
    assert colour(glass, np.array(SIZE) / 2).max() < 40
    assert glass.max(axis=-1)[:, 35:60].max() > 70, "the rim of the ball"
    assert bare.max(axis=-1)[:12].max() == 0


def test_the_glass_follows_when_the_head_turns_and_stays_while_only_the_graph_changes(canvas, scene):
    corners = np.float32([[-80, 0, 0], [80, 0, 0], [0, 60, 0], [0, 0, 10]])
    flat = Mesh(corners, np.int32([[0, 1, 2], [0, 3, 1], [0, 2, 3], [1, 3, 2]]))
    above = replace(scene, outline=(flat,), links=links())
    seen = canvas.picture(above)[..., :3].max(axis=-1)
    again = canvas.picture(replace(above, links=links((0, 1))))[..., :3].max(axis=-1)
    aside = canvas.picture(replace(above, azimuth_deg=90.0, elevation_deg=0.0))[..., :3].max(axis=-1)
    assert ((again > 8) >= (seen > 8)).mean() > 0.99
    assert (seen > 8).sum() > 2 * (aside > 8).sum()


def test_a_click_finds_the_node_in_front(scene):
    places, _ = placed(scene)
    assert [node_at(scene, *places[n]) for n in (0, 1)] == [0, 1]
    assert node_at(scene, *places[2]) == 2, "2 lies above 3"
    from_below = replace(scene, elevation_deg=-90.0, azimuth_deg=0.0)
    assert node_at(from_below, *placed(from_below)[0][2]) == 3


def test_a_click_beside_a_node_still_means_it_and_one_far_away_means_none(scene):
    places, _ = placed(scene)
    radius_px = 8.0 / aim_of(scene).mm_per_px
    assert node_at(scene, places[0, 0], places[0, 1] + radius_px + 2) == 0
    assert node_at(scene, places[0, 0], places[0, 1] + radius_px + 30) is None
    empty = replace(scene, nodes=Nodes(PLACES[:0], np.zeros(0, np.float32), np.zeros((0, 3), np.uint8)), links=links())
    assert node_at(empty, 10, 10) is None


def test_letters_tell_the_sides_and_the_chosen_node_has_a_ring_and_its_name(scene):
    marks = graph_marks(replace(scene, ringed=1, label="Insula R", note="5 edges"))
    texts = {mark.text for mark in marks if isinstance(mark, Text)}
    assert {"L", "R", "A", "P", "Insula R", "5 edges"} <= texts
    places, _ = placed(scene)
    rings = [mark for mark in marks if isinstance(mark, Line)]
    assert {ring.colour for ring in rings} == {scene.ink, scene.background}, "seen on whatever is behind it"
    for ring in rings:
        assert np.allclose(ring.points[:-1].mean(axis=0), places[1], atol=0.5)
    (name,) = [mark for mark in marks if isinstance(mark, Text) and mark.text == "Insula R"]
    (ground,) = [mark for mark in marks if isinstance(mark, Box)]
    assert ground.x < name.x <= ground.x + ground.width


def test_an_empty_graph_is_a_picture_of_its_background(canvas, scene):
    nothing = Nodes(PLACES[:0], np.zeros(0, np.float32), np.zeros((0, 3), np.uint8))
    picture = canvas.picture(replace(scene, nodes=nothing, links=links(), background=(27, 28, 29)))
    assert (picture[..., :3] == (27, 28, 29)).all()


def test_it_is_drawn_without_text_of_vtk_whose_fonts_no_two_threads_may_use(canvas, scene, ball):
    canvas.picture(replace(scene, outline=(ball,), ringed=0, label="a"))
    drawn = {prop.GetClassName() for view in canvas._offscreen._renderers for prop in view.GetViewProps()}
    assert drawn == {"vtkOpenGLActor"}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")
def test_canvases_opened_and_closed_give_their_memory_back(scene, ball):
    def use() -> None:
        made = GraphCanvas()
        made.picture(replace(scene, outline=(ball,)))
        made.close()
        del made
        gc.collect()

    for _ in range(5):
        use()
    before = psutil.Process().memory_info().rss
    for _ in range(15):
        use()
    assert psutil.Process().memory_info().rss - before < 25e6
