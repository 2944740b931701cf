"""3D pictures beside slices, each in a thread of its own."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
from habena.render.scene import Mesh, MeshLayer, Note, Pose, Rect, SurfaceScene
from habena.render.surface_canvas import SurfaceCanvas, surface_marks

# In a process of its own: what this is about ends the process, now or when it exits.
BOTH_AT_ONCE = """
import threading
import numpy as np
from habena.app.painting import gui_application, with_marks
from habena.render.compose import numpy_kernels
from habena.render.scene import Mesh, MeshLayer, Note, Panel, Pose, Rect, SliceScene, SurfaceScene
from habena.render.slice_canvas import SliceCanvas
from habena.render.surface_canvas import SurfaceCanvas, surface_marks

application = gui_application()
corners = Mesh(np.float32([[0, 0, 0], [60, 0, 0], [0, 60, 0], [0, 0, 60]]), np.int32([[0, 1, 2], [0, 2, 3], [1, 2, 3]]))
rect = Rect(0, 0, 200, 150)

def head():
    canvas = SurfaceCanvas()
    for number in range(150):
        pose = Pose(rect, 7.0 * number, 0.0, 1.0, ("a",))
        layers = (MeshLayer("a", corners, (200, 100, 50)),)
        scene = SurfaceScene((200, 150), (pose,), layers, notes=(Note(str(number), " one"),), scale=1 + number / 100)
        assert with_marks(canvas.picture(scene), surface_marks(scene)).max(axis=-1).min() == 255
    canvas.close()

thread = threading.Thread(target=head)
thread.start()
canvas = SliceCanvas(numpy_kernels())
for number in range(400):
    panel = Panel("axial", number / 7, rect, (0.0, 0.0), 1.0)
    canvas.picture(SliceScene((200, 150), (panel,), scale=1 + number / 300))
thread.join()
canvas.close()
print("both done")
"""


def test_texts_change_on_slices_and_on_the_head_at_once_and_the_memory_stays_whole() -> None:
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", BOTH_AT_ONCE], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout.strip()) == (0, "both done"), done.stderr


def test_the_head_is_drawn_without_text_of_vtk_whose_fonts_no_two_threads_may_use() -> None:
    canvas = SurfaceCanvas()
    mesh = Mesh(np.array([[0, 0, 0], [60, 0, 0], [0, 0, 60]], np.float32), np.array([[0, 1, 2]], np.int32))
    pose = Pose(Rect(0, 0, 100, 80), 0.0, 0.0, 1.0, ("a",))
    scene = SurfaceScene(
        (100, 80), (pose,), (MeshLayer("a", mesh, (200, 100, 50)),), notes=(Note("a", " is not here"),)
    )
    canvas.picture(scene)
    drawn = {prop.GetClassName() for view in canvas._offscreen._renderers for prop in view.GetViewProps()}
    canvas.close()
    assert drawn == {"vtkOpenGLActor"}
    assert {mark.text for mark in surface_marks(scene)} >= {"S", "I", "L", "R", "a is not here"}
