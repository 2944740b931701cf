"""Translucent meshes and slices in space."""

from __future__ import annotations

import numpy as np
import pytest
from habena.render.scene import Mesh, MeshLayer, Panel, Pose, Rect, SlicePlane, SurfaceScene
from habena.render.surface_canvas import SurfaceCanvas

SIZE = (120, 120)
RED, GREY = (255, 0, 0), (200, 200, 200)


def cube(half_mm, middle=(0.0, 0.0, 0.0)):
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float32) * half_mm
    faces = [(0, 1, 3), (0, 3, 2), (4, 6, 7), (4, 7, 5), (0, 4, 5), (0, 5, 1)]
    faces += [(2, 3, 7), (2, 7, 6), (0, 2, 6), (0, 6, 4), (1, 5, 7), (1, 7, 3)]
    return Mesh((corners + np.array(middle, np.float32)).astype(np.float32), np.array(faces, np.int32))


@pytest.fixture
def canvas():
    made = SurfaceCanvas()
    yield made
    made.close()


def scene(layers=(), planes=(), azimuth_deg=0.0):
    pose = Pose(Rect(0, 0, *SIZE), azimuth_deg, 0.0, 1.0, tuple(layer.name for layer in layers))
    return SurfaceScene(SIZE, (pose,), tuple(layers), tuple(planes))


def test_what_is_inside_a_translucent_mesh_is_mixed_with_its_nearest_face_alone(canvas):
    inside = MeshLayer("inside", cube(10), RED)
    opaque = MeshLayer("cortex", cube(40), GREY)
    alone = canvas.picture(scene((inside,)))[60, 60, :3].astype(int)
    outside = canvas.picture(scene((inside, opaque)))[60, 60, :3].astype(int)
    seen = canvas.picture(scene((inside, MeshLayer("cortex", opaque.mesh, GREY, 0.25))))[60, 60, :3].astype(int)
    assert alone[0] > 100 > alone[1]
    assert seen.tolist() == pytest.approx((0.75 * alone + 0.25 * outside).tolist(), abs=2)


def test_what_is_in_front_of_a_translucent_mesh_is_not_dimmed(canvas):
    glass = MeshLayer("cortex", cube(40), GREY, 0.25)
    before = MeshLayer("before", cube(10, (0, 60, 0)), RED)
    behind = MeshLayer("behind", cube(10, (0, -60, 0)), RED)
    front = canvas.picture(scene((glass, before)))[60, 60, :3].astype(int)
    back = canvas.picture(scene((glass, behind)))[60, 60, :3].astype(int)
    assert front[1] < 30 < back[1], "only the one behind is seen through grey"


def plane(axis, position_mm, colour, half_clear=False):
    picture = np.zeros((80, 80, 4), np.uint8)
    picture[..., :3] = colour
    picture[..., 3] = 255
    if half_clear:
        picture[:, :40, 3] = 0
    return SlicePlane(Panel(axis, position_mm, Rect(0, 0, 80, 80), (0.0, 0.0), 1.0), picture)


def test_a_slice_hides_what_is_behind_it_in_whatever_order_they_come(canvas):
    near, far = plane("coronal", 20.0, (0, 255, 0)), plane("coronal", -20.0, (255, 0, 0))
    for planes in ((near, far), (far, near)):
        assert canvas.picture(scene((), planes))[60, 60, :3].tolist() == [0, 255, 0]
        assert canvas.picture(scene((), planes, azimuth_deg=180.0))[60, 60, :3].tolist() == [255, 0, 0]


def test_one_sees_through_the_clear_part_of_a_slice(canvas):
    far = plane("coronal", -20.0, (255, 0, 0))
    near = plane("coronal", 20.0, (0, 255, 0), half_clear=True)  # its left, x < 0, is clear
    picture = canvas.picture(scene((), (near, far)))
    # from the front the person's left is on the right
    assert picture[60, 85, :3].tolist() == [255, 0, 0]
    assert picture[60, 35, :3].tolist() == [0, 255, 0]


def test_a_head_that_is_turned_keeps_its_size(canvas):
    tall = cube(1)
    long = Mesh(tall.points * np.float32([30, 45, 20]), tall.faces)  # as a head is: longer than wide, wider than high

    def long_side_px(azimuth_deg):
        seen = canvas.picture(scene((MeshLayer("head", long, RED),), azimuth_deg=azimuth_deg))[..., 0] > 20
        return np.ptp(np.flatnonzero(seen.any(axis=0))) + 1, np.ptp(np.flatnonzero(seen.any(axis=1))) + 1

    width, height = long_side_px(90.0)
    assert width > 0.9 * SIZE[0]  # from the side it fills the view
    for azimuth_deg in (0.0, 45.0, 60.0, -90.0, 180.0):
        assert long_side_px(azimuth_deg)[1] == pytest.approx(height, abs=1)
    assert long_side_px(0.0)[0] == pytest.approx(width * 30 / 45, abs=1)
