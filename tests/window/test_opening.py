"""Opening: by name, dialog, drop and folder; every format; the layout that shows what was opened; large series."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import nibabel as nib
import nilearn
import numpy as np
import pytest
from file_events import (
    answer_dialog,
    choose,
    dismiss_all,
    drop,
    drop_data,
    errors,
    is_drawn,
    layer_titles,
    notices,
    one_error,
    press_in_notice,
    remove_layer,
)
from habena.app.io import memory
from habena.app.io.gzip_stream import GzipStream
from habena.app.opening import Opened, open_path
from habena.app.questions import CortexData
from habena.app.window import Window
from habena.widgets.controls import IconButton
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDockWidget, QLineEdit, QToolButton
from scipy.spatial import ConvexHull
from window_events import colour_on_slice, named, picture, settle, texts, wait_until

NIBABEL_DATA = Path(nib.__file__).parent / "tests" / "data"


# -- ways to open


def test_dropping_files_on_the_welcome_page_opens_them_in_the_order_in_which_they_came(open_window, anatomy, stat_map):
    window = open_window(layout="ortho")
    assert window.welcome.isVisible()
    assert drop(window, anatomy, stat_map, over=window.welcome)
    settle(window)
    assert not window.welcome.isVisible()
    assert window.area.isVisible()
    assert layer_titles(window) == [anatomy.stem, stat_map.stem]
    assert is_drawn(window)
    assert errors(window) == []


def test_of_files_that_are_opened_together_a_quick_one_waits_for_a_slow_one_that_was_named_first(
    open_window, anatomy, stat_map, monkeypatch
):
    others_ended = threading.Event()

    def in_reverse(path: str, report: Callable[[float], None], cortex: CortexData) -> Opened:
        if path == str(anatomy):
            assert others_ended.wait(20)
            return open_path(path, report, cortex)
        try:
            return open_path(path, report, cortex)
        finally:
            others_ended.set()

    monkeypatch.setattr("habena.app.session.open_path", in_reverse)
    window = open_window()
    drop(window, "missing.nii", anatomy, stat_map, over=window.welcome)
    settle(window)
    assert layer_titles(window) == [anatomy.stem, stat_map.stem]
    one_error(window, "missing.nii", "does not exist")


def test_files_that_wait_are_counted_and_any_of_them_can_be_cancelled(open_window, anatomy, tmp_path, monkeypatch):
    paths = [Path(shutil.copy(anatomy, tmp_path / f"{name}.nii")) for name in ("a", "b", "c", "d")]
    let_through = threading.Event()

    def blocked(path: str, report: Callable[[float], None], cortex: CortexData) -> Opened:
        assert let_through.wait(20)
        return open_path(path, report, cortex)

    monkeypatch.setattr("habena.app.session.open_path", blocked)
    window = open_window()
    drop(window, *paths, over=window.welcome)
    assert "Opening a.nii" in texts(window.job_bar)
    others = named(window.job_bar, QToolButton, "Waiting work")
    assert others.text() == "+3"
    assert not window.welcome.isVisible()
    waiting = {action.text(): action for action in others.menu().actions()}
    assert set(waiting) == {f"Cancel: Opening {name}.nii" for name in "bcd"}
    waiting["Cancel: Opening c.nii"].trigger()
    assert others.text() == "+2"
    let_through.set()
    settle(window)
    assert layer_titles(window) == ["a", "b", "d"]
    assert errors(window) == []
    assert not others.isVisible()


def test_dropping_a_file_on_the_slices_adds_it_to_what_is_open(open_window, anatomy, stat_map):
    window = open_window(anatomy)
    assert drop(window, stat_map)
    settle(window)
    assert layer_titles(window) == [anatomy.stem, stat_map.stem]
    assert is_drawn(window)


def test_files_can_be_dropped_on_every_part_of_the_window(open_window, anatomy, stat_map):
    window = open_window(anatomy, layout="ortho+surface")
    docks = [dock.widget() for dock in window.findChildren(QDockWidget) if dock.widget().isVisible()]
    fields = [field for field in window.findChildren(QLineEdit) if field.isVisible()]
    parts = [window.area.surface, window.menuBar(), window.statusBar(), *docks, *fields]
    copies = [Path(shutil.copy(stat_map, stat_map.with_name(f"copy{number}.nii"))) for number in range(len(parts))]
    for part, copy in zip(parts, copies, strict=True):
        assert drop(window, copy, over=part), f"{part} takes no file"
    settle(window)
    assert sorted(layer_titles(window)) == sorted([anatomy.stem, *(copy.stem for copy in copies)])
    assert not any("copy" in field.text() for field in fields)


@pytest.mark.parametrize("place", ["welcome", "slices"])
def test_what_is_no_file_is_not_taken(open_window, anatomy, place):
    window = open_window(*([anatomy] if place == "slices" else []))
    over = window.area if place == "slices" else window.welcome
    words, web = QMimeData(), QMimeData()
    words.setText("only text")
    web.setUrls([QUrl("https://example.org/a.nii.gz")])
    assert not drop_data(window, words, over)
    assert not drop_data(window, web, over)
    settle(window)
    assert layer_titles(window) == ([anatomy.stem] if place == "slices" else [])


def test_files_chosen_in_the_dialog_are_opened_and_a_dialog_that_is_cancelled_changes_nothing(
    open_window, anatomy, stat_map, monkeypatch
):
    window = open_window(layout="ortho")
    answer_dialog(monkeypatch, "getOpenFileNames")
    choose(window, "File", "Open files")
    settle(window)
    assert window.welcome.isVisible()
    answer_dialog(monkeypatch, "getOpenFileNames", anatomy, stat_map)
    choose(window, "File", "Open files")
    settle(window)
    assert layer_titles(window) == [anatomy.stem, stat_map.stem]
    assert is_drawn(window)


def test_the_buttons_of_the_welcome_page_open_files_and_folders(open_window, anatomy, monkeypatch):
    window = open_window(layout="ortho")
    answer_dialog(monkeypatch, "getExistingDirectory", anatomy.parent)
    folder = next(b for b in window.welcome.findChildren(type(window.welcome._folder)) if b.text() == "Open folder…")
    QTest.mouseClick(folder, Qt.MouseButton.LeftButton)
    settle(window)
    assert layer_titles(window) == [anatomy.stem]


def test_a_folder_opens_every_image_in_it_in_the_order_of_names_and_passes_over_the_rest(
    open_window, anatomy, tmp_path, monkeypatch
):
    folder = tmp_path / "study"
    folder.mkdir()
    for name in ("b_mean.nii", "a_first.nii"):
        shutil.copy(anatomy, folder / name)
    (folder / "notes.txt").write_text("not an image")
    (folder / ".hidden.nii").write_bytes(anatomy.read_bytes())
    window = open_window(layout="ortho")
    answer_dialog(monkeypatch, "getExistingDirectory", folder)
    choose(window, "File", "Open folder")
    settle(window)
    assert layer_titles(window) == ["a_first", "b_mean"]
    assert errors(window) == []


def test_of_a_folder_with_a_damaged_image_the_others_open_and_the_damage_is_told(open_window, anatomy, tmp_path):
    folder = tmp_path / "study"
    folder.mkdir()
    shutil.copy(anatomy, folder / "a.nii")
    (folder / "b.nii").write_bytes(anatomy.read_bytes()[:5000])
    window = open_window()
    assert drop(window, folder, over=window.welcome)
    settle(window)
    assert layer_titles(window) == ["a"]
    one_error(window, "b.nii", "ends within the image")


def test_a_folder_of_very_many_images_opens_the_first_of_them_and_says_so(open_window, anatomy, tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(14):
        shutil.copy(anatomy, folder / f"{number:02}.nii")
    window = open_window()
    drop(window, folder, over=window.welcome)
    settle(window)
    assert layer_titles(window) == [f"{number:02}" for number in range(12)]
    assert any("holds 14 images; the first 12 are opened" in told for told in notices(window))


def test_opening_is_one_step_that_undo_takes_back_and_redo_brings_again(open_window, anatomy, stat_map):
    window = open_window(anatomy)
    drop(window, stat_map)
    settle(window)
    choose(window, "Edit", "Undo open")
    settle(window)
    assert layer_titles(window) == [anatomy.stem]
    choose(window, "Edit", "Redo open")
    settle(window)
    assert layer_titles(window) == [anatomy.stem, stat_map.stem]
    assert is_drawn(window)


COMMAND = """
import json, sys
from PySide6.QtCore import QTimer
from habena.app import window

class Watched(window.Window):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.looking = QTimer(self)
        self.looking.timeout.connect(self.look)
        self.looking.start(20)

    def look(self):
        if self.panels is not None and len(self.session.shown()) >= 2 and self.session.jobs.idle():
            shown = [overlay.recipe.path for overlay in self.session.state.overlays]
            drawn = bool(self.slice_view.arrangement.panels)
            print(json.dumps([shown, drawn, list(self.notices.texts)]), flush=True)
            self.looking.stop()
            self.close()

window.Window = Watched
from habena.app.cli import main
main(sys.argv[1:])
"""


def test_the_command_line_opens_paths_as_they_are_seen_from_the_folder_it_is_given_in(anatomy, stat_map, tmp_path):
    command = [sys.executable, "-c", COMMAND, anatomy.name, str(stat_map), "missing.nii"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr
    shown, drawn, told = json.loads(ended.stdout.splitlines()[-1])
    assert set(shown) == {str(anatomy), str(stat_map)}
    assert drawn
    assert [text for text in told if "missing.nii: does not exist" in text]


# -- formats

FORMATS = (
    "standard.nii.gz",  # NIfTI-1
    "example_nifti2.nii.gz",
    "anatomical.nii",
    "test.mgz",
    "phantom_EPI_asc_CLEAR_2_1.PAR",
    "tiny.mnc",  # MINC 1
    "small.mnc",  # MINC 2
    "scaled+tlrc.HEAD",  # AFNI
    "tinypet.v",  # ECAT
)


def shows_each(window: Window, paths: list[Path]) -> None:
    """Drop files one after the other on a window; each is listed and drawn, and removed before the next."""
    for path in paths:
        assert drop(window, path, over=window.centralWidget())
        settle(window)
        assert errors(window) == [], path
        assert len(layer_titles(window)) == 1, path
        assert is_drawn(window), path
        remove_layer(window)


def test_a_volume_of_each_format_is_listed_and_drawn(open_window):
    paths = [path for name in FORMATS if (path := NIBABEL_DATA / name).exists()]
    if not paths:
        pytest.skip("nibabel came without its test images")
    shows_each(open_window(), paths)


def test_real_files_of_other_programs_are_listed_and_drawn(open_window, shared_data):
    names = ("ras.hdr", "ras.img", "example4d+orig.BRIK.gz", "complex.nii.gz", "minimal.nii.gz", "low_res.nii.gz")
    shows_each(open_window(), [shared_data(f"compat/{name}") for name in names])


def test_a_format_that_is_not_read_is_named_with_what_converts_it(open_window, anatomy, shared_data):
    window = open_window(anatomy)
    for name, reader in (("mha.mha", "ITK-SNAP"), ("template.mif.gz", "mrconvert")):
        drop(window, shared_data(f"compat/{name}"))
        settle(window)
        one_error(window, name, reader)
        dismiss_all(window)
    assert layer_titles(window) == [anatomy.stem]


def test_colours_of_an_rgb_image_are_shown_as_they_are(open_window, tmp_path):
    kind = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])
    values = np.zeros((20, 20, 20), kind)
    values["R"], values["G"], values["B"] = 200, 40, 90
    affine = np.diag([4.0, 4.0, 4.0, 1.0])
    affine[:3, 3] = -38
    nib.save(nib.Nifti1Image(values, affine), tmp_path / "colours.nii")
    window = open_window(tmp_path / "colours.nii")
    assert colour_on_slice(window, "axial", (12.0, 12.0, 0.0)) == pytest.approx((200, 40, 90), abs=3)


# -- surfaces


@pytest.fixture(scope="session")
def fsaverage5() -> Path:
    """The folder of surfaces that nilearn ships."""
    folder = Path(nilearn.__file__).parent / "datasets" / "data" / "fsaverage5"
    if not folder.exists():
        pytest.skip("nilearn came without fsaverage5")
    return folder


def vertex_map(path: Path, count: int) -> Path:
    """One value per vertex, as GIFTI."""
    values = np.linspace(-4, 4, count, dtype=np.float32)
    array = nib.gifti.GiftiDataArray(values, intent="NIFTI_INTENT_TTEST", datatype="NIFTI_TYPE_FLOAT32")
    nib.save(nib.gifti.GiftiImage(darrays=[array]), path)
    return path


def test_a_map_on_fsaverage5_alone_opens_on_four_views_of_the_cortex_in_colour(open_window, tmp_path):
    window = open_window(vertex_map(tmp_path / "lh.effect.func.gii", 10242), layout=None)
    assert errors(window) == []
    assert window.session.state.layout == "surface"
    assert window.area.surface.isVisible()
    assert "Surfaces" in chosen_layouts(window)
    assert colourful(picture(window.area.surface)) > 500


def test_a_map_on_the_cortex_beside_an_image_keeps_the_slices_and_shows_the_cortex_too(open_window, anatomy, tmp_path):
    window = open_window(anatomy, layout="ortho")
    drop(window, vertex_map(tmp_path / "lh.effect.func.gii", 10242))
    settle(window)
    assert window.session.state.layout == "ortho+surface"
    assert window.area.surface.isVisible()
    assert {panel.axis for panel in window.slice_view.arrangement.panels} == {"axial", "coronal", "sagittal"}


def test_a_cifti_file_opens_on_the_cortex_that_it_fits(open_window, shared_data):
    path = shared_data("compat/fs_LR.32k.LR.curvature.dscalar.nii")
    window = open_window(path, layout=None)
    assert window.session.state.layout == "surface"
    assert layer_titles(window) == ["fs_LR.32k.LR.curvature.dscalar"]
    told = errors(window)
    if told:  # only where the surfaces of fsLR are not installed
        assert len(told) == 1
        assert "fsLR" in told[0]
    else:
        assert window.session.state.surface.cortex is not None


def test_a_map_that_fits_no_surface_is_told_once_and_the_image_stays(open_window, anatomy, tmp_path):
    window = open_window(anatomy, layout="ortho")
    drop(window, vertex_map(tmp_path / "lh.strange.func.gii", 777))
    settle(window)
    one_error(window, "lh.strange.func.gii", "777")
    assert anatomy.stem in layer_titles(window)


def test_surfaces_of_a_person_replace_the_cortex(open_window, tmp_path, fsaverage5):
    found = sorted(fsaverage5.glob("pial_left.gii*"))
    if not found:
        pytest.skip("nilearn keeps its surfaces under another name")
    content = found[0].read_bytes()
    own = tmp_path / "sub-01_hemi-L_pial.surf.gii"
    own.write_bytes(gzip.decompress(content) if found[0].suffix == ".gz" else content)
    window = open_window(layout=None)
    drop(window, own, over=window.welcome)
    settle(window)
    assert errors(window) == []
    assert window.session.state.surface.cortex == str(own)
    assert window.area.surface.isVisible()
    shown = picture(window.area.surface)
    assert len(np.unique(shown.reshape(-1, 3), axis=0)) > 30


def own_surface(folder: Path, count: int = 500) -> tuple[Path, Path]:
    """FreeSurfer files of a person's left hemisphere with so many vertices: the pial surface, and values on it."""
    places = np.random.default_rng(0).standard_normal((count, 3))
    places /= np.linalg.norm(places, axis=1, keepdims=True)
    faces = ConvexHull(places).simplices.copy()
    a, b, c = np.moveaxis(places[faces], 1, 0)
    inwards = (np.cross(b - a, c - a) * a).sum(axis=1) < 0
    faces[inwards] = faces[inwards][:, ::-1]
    surface, data = folder / "surf" / "lh.pial", folder / "surf" / "lh.effect"
    surface.parent.mkdir()
    nib.freesurfer.write_geometry(str(surface), places * [30, 60, 45] - [32, 0, 0], faces)
    nib.freesurfer.write_morph_data(str(data), 4 * places[:, 1].astype(np.float32))
    return surface, data


def test_surfaces_and_data_that_are_dropped_together_fit_without_a_word(open_window, tmp_path):
    surface, data = own_surface(tmp_path)
    window = open_window(layout=None)
    drop(window, surface, data, over=window.welcome)
    settle(window)
    assert errors(window) == []
    assert window.session.state.surface.cortex == str(surface)
    assert layer_titles(window) == ["lh.effect"]


@pytest.mark.parametrize("folder", ["surf", "label"])
def test_data_find_the_surface_of_the_same_person_by_themselves(open_window, tmp_path, folder):
    surface, data = own_surface(tmp_path)
    if folder != "surf":
        (tmp_path / folder).mkdir()
        data = data.rename(tmp_path / folder / data.name)
    window = open_window(data, layout=None)
    assert errors(window) == []
    assert window.session.state.surface.cortex == str(surface)
    assert window.area.surface.isVisible()


def test_data_of_one_person_are_not_put_on_the_surface_of_another(open_window, tmp_path):
    surface, data = own_surface(tmp_path)
    surface.rename(surface.with_name("sub-02.lh.pial"))
    window = open_window(data, layout=None)
    one_error(window, "lh.effect", "has values on 500 vertices of the left hemisphere")


def chosen_layouts(window: Window) -> set[str]:
    return {action.iconText() for action in window.findChildren(QAction) if action.isChecked()}


def colourful(pixels: np.ndarray) -> int:
    """How many pixels are coloured rather than grey."""
    return int((pixels.max(axis=-1) - pixels.min(axis=-1) > 60).sum())


# -- large series


class SlowFile:
    """A compressed file that stops after some bytes until it is let through."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, free_bytes: int) -> None:
        self.opened = threading.Event()
        self.waits = threading.Event()
        whole = GzipStream.readinto
        read = 0

        def readinto(stream: GzipStream, into: memoryview) -> int:
            nonlocal read
            if read >= free_bytes and not self.opened.is_set():
                self.waits.set()
                self.opened.wait(20)
            count = whole(stream, into)
            read += count
            return count

        monkeypatch.setattr(GzipStream, "readinto", readinto)


@pytest.fixture
def large_run(small_run: Callable[..., Path]) -> Path:
    """A compressed series of many chunks."""
    return small_run(volumes=400)


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> int:
    """Files are unpacked in pieces of one volume, so that a small file behaves as a large one; bytes of a volume."""
    frame_bytes = 22 * 26 * 16 * 2
    monkeypatch.setattr("habena.app.io.gzip_source.CHUNK_BYTES", frame_bytes)
    return frame_bytes


@pytest.fixture
def slow_file(monkeypatch: pytest.MonkeyPatch, small_chunks: int) -> Iterator[SlowFile]:
    slow = SlowFile(monkeypatch, free_bytes=20 * small_chunks)
    yield slow
    slow.opened.set()


def test_the_first_picture_of_a_series_comes_before_the_whole_file_is_read(open_window, large_run, slow_file):
    window = open_window(layout="ortho")
    drop(window, large_run, over=window.welcome)
    wait_until(slow_file.waits.is_set, "the slow part of the file")
    wait_until(lambda: bool(window.slice_view.arrangement.panels) and bool(window.session.shown()), "the first picture")
    wait_until(lambda: picture(window.area.slices).std() > 5, "the first picture")
    assert any("Loading" in text for text in texts(window.job_bar))
    assert any(text.endswith("%") for text in texts(window.job_bar))
    slow_file.opened.set()
    settle(window)
    assert not any("Loading" in text for text in texts(window.job_bar))
    assert window.session.shown()[0].answer.image.ready(399)
    assert errors(window) == []


def test_loading_a_series_can_be_cancelled_and_what_was_read_stays_on_show(open_window, large_run, slow_file):
    window = open_window(layout="ortho")
    drop(window, large_run, over=window.welcome)
    wait_until(slow_file.waits.is_set, "the slow part of the file")
    wait_until(lambda: any("Loading" in text for text in texts(window.job_bar)), "the progress")
    QTest.mouseClick(named(window.job_bar, IconButton, "Cancel"), Qt.MouseButton.LeftButton)
    slow_file.opened.set()
    settle(window)
    assert not any("Loading" in text for text in texts(window.job_bar))
    assert len(layer_titles(window)) == 1
    assert errors(window) == []
    image = window.session.shown()[0].answer.image
    assert not image.ready(399)
    assert is_drawn(window)


def test_a_window_that_is_closed_while_it_loads_leaves_no_thread_behind(
    no_leftovers, open_window, large_run, slow_file
):
    window = open_window(layout="ortho")
    drop(window, large_run, over=window.welcome)
    wait_until(slow_file.waits.is_set, "the slow part of the file")
    slow_file.opened.set()
    window.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("habena-l")]


def test_opening_another_file_does_not_wait_for_a_series_that_is_being_loaded(
    open_window, large_run, anatomy, slow_file
):
    window = open_window(layout="ortho")
    drop(window, large_run, over=window.welcome)
    wait_until(slow_file.waits.is_set, "the slow part of the file")
    drop(window, anatomy)
    wait_until(lambda: anatomy.stem in layer_titles(window), "the other file")
    assert not slow_file.opened.is_set()


def test_a_series_that_does_not_fit_into_memory_says_so_and_is_read_from_disk_when_asked(
    open_window, large_run, tmp_path, monkeypatch, small_chunks
):
    monkeypatch.setattr(memory, "TOO_SMALL_TO_ASK", 2**20)
    monkeypatch.setattr(memory, "available_bytes", lambda: 4 * 2**20)
    window = open_window(large_run, layout="ortho")
    one_error(window, large_run.name, "needs 7.3 MB of memory", "4.2 MB are free", "disk")
    assert is_drawn(window)
    press_in_notice(window, "Unpack to disk")
    settle(window)
    assert errors(window) == []
    image = window.session.shown()[0].answer.image
    assert image.ready(399)
    expected = np.asarray(nib.load(large_run).dataobj[..., 399], np.float32)
    np.testing.assert_array_equal(image.frame(399), expected)
    spilled = list(Path(os.environ["XDG_CACHE_HOME"]).rglob("*.raw"))
    assert len(spilled) == 1
    window.close()
    assert not spilled[0].exists(), "the unpacked copy was left behind"


def test_the_memory_in_use_is_shown_and_goes_down_when_a_series_is_closed(open_window, large_run):
    window = open_window(large_run, layout="ortho")
    shown = [text for text in texts(window.job_bar) if text.endswith("B")]
    assert len(shown) == 1
    assert float(shown[0].split()[1]) >= 7


@pytest.mark.parametrize(
    ("name", "text", "panel"),
    [
        ("links.tsv", "\ta\tb\tc\na\t1\t.5\t.2\nb\t.5\t1\t.1\nc\t.2\t.1\t1\n", "connectivity"),
        ("sub-01_desc-confounds_timeseries.tsv", "trans_x\trot_x\n0\t0\n.1\t.2\n", "seed"),
        ("participants.tsv", "participant_id\tage\nsub-01\t31\nsub-02\t44\n", "model"),
    ],
)
def test_a_dropped_table_goes_to_the_panel_that_it_is_for(open_window, anatomy, tmp_path, name, text, panel):
    table = tmp_path / name
    table.write_text(text)
    window = open_window(anatomy, layout="ortho")
    assert drop(window, table)
    settle(window)
    wait_until(lambda: not window.dock(panel).visibleRegion().isEmpty(), f"the panel {panel}")
    if panel == "connectivity":
        wait_until(lambda: len(layer_titles(window)) == 2, "the layer of the matrix")
    elif panel == "seed":
        assert window.panels.seed._draft.confounds == str(table)
    else:
        assert any(name in text for text in texts(window.dock(panel)))
    assert not errors(window)
