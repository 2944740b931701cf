"""Saving views, pictures and maps from the menu; places that cannot be written to; undo across it."""

from __future__ import annotations

import gzip
import json
import os
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
from file_events import answer_dialog, choose, dismiss_all, drop, errors, layer_titles, menu_action, notices, one_error
from habena.widgets.numbers import NumberEdit
from habena.widgets.picture_dialog import PictureDialog
from panel_events import choose as choose_in
from panel_events import press
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog
from window_events import click, named, picture, pixel_of, press_key, settle, texts


def save_as(window, command):
    """Choose a command that saves; a picture is as large as shown."""
    choose(window, "File", command)
    if command == "Save picture":
        press(picture_dialog(window), "Save…")


def picture_dialog(window):
    QApplication.processEvents()
    dialog = named(window, PictureDialog, "Save picture")
    dialog.activateWindow()
    return dialog


def test_a_saved_view_dropped_on_another_window_gives_the_same_picture(open_window, anatomy, stat_map, monkeypatch):
    scene = anatomy.parent / "mine.habena.json"
    first = open_window(anatomy, stat_map, layout="ortho")
    click(first.area.slices, pixel_of(first, "axial", (18.0, -20.0, 0.0)))
    click(first.area.slices, pixel_of(first, "coronal", (18.0, 0.0, 8.0)))
    settle(first)
    dismiss_all(first)
    before = picture(first.area.slices)
    answer_dialog(monkeypatch, "getSaveFileName", scene)
    choose(first, "File", "Save view")
    assert f"Saved {scene}." in notices(first)
    first.close()
    second = open_window(layout=None)
    drop(second, scene, over=second.welcome)
    settle(second)
    dismiss_all(second)
    assert second.session.state == first.session.state
    assert layer_titles(second) == [anatomy.stem, stat_map.stem]
    np.testing.assert_array_equal(picture(second.area.slices), before)


def test_a_view_finds_its_files_after_they_were_moved_together(open_window, anatomy, monkeypatch, tmp_path):
    study, moved = tmp_path / "study", tmp_path / "moved"
    study.mkdir()
    image = Path(shutil.copy(anatomy, study / "image.nii"))
    window = open_window(image)
    answer_dialog(monkeypatch, "getSaveFileName", study / "view.json")
    choose(window, "File", "Save view")
    window.close()
    assert "image.nii" in (study / "view.json").read_text()
    assert str(study) not in (study / "view.json").read_text()
    study.rename(moved)
    again = open_window(layout=None)
    drop(again, moved / "view.json", over=again.welcome)
    settle(again)
    assert errors(again) == []
    assert layer_titles(again) == ["image"]


def test_names_without_an_ending_get_the_right_one(open_window, anatomy, monkeypatch, tmp_path):
    window = open_window(anatomy)
    for command, ending in (("Save view", ".json"), ("Save picture", ".png"), ("Save selected map", ".nii.gz")):
        answer_dialog(monkeypatch, "getSaveFileName", tmp_path / f"mine of {ending[1:4]}")
        save_as(window, command)
        settle(window)
        assert (tmp_path / f"mine of {ending[1:4]}{ending}").exists()
    assert errors(window) == []


def test_a_name_that_becomes_that_of_another_file_replaces_nothing_unasked(open_window, anatomy, monkeypatch, tmp_path):
    (tmp_path / "mine.json").write_text("{}")
    window = open_window(anatomy)
    answer_dialog(monkeypatch, "getSaveFileName", tmp_path / "mine")
    choose(window, "File", "Save view")
    one_error(window, "mine.json: exists already; choose another name")
    assert (tmp_path / "mine.json").read_text() == "{}"


def test_a_saved_picture_is_what_the_window_shows(open_window, anatomy, stat_map, monkeypatch, tmp_path):
    window = open_window(anatomy, stat_map, layout="ortho")
    dismiss_all(window)
    path = tmp_path / "shown.png"
    answer_dialog(monkeypatch, "getSaveFileName", path)
    before = picture(window.area.slices)
    save_as(window, "Save picture")
    settle(window)
    assert f"Saved {path}." in notices(window)
    with Image.open(path) as saved:
        pixels = np.asarray(saved.convert("RGB")).astype(int)
    assert pixels.shape == before.shape
    near = np.abs(pixels - before).max(axis=-1) < 60  # letters are drawn anew, lines may lie a pixel beside
    assert near.mean() > 0.95


def test_a_picture_is_saved_larger_at_a_resolution_when_asked(open_window, anatomy, stat_map, monkeypatch, tmp_path):
    window = open_window(anatomy, stat_map, layout="ortho")
    path = tmp_path / "large.png"
    answer_dialog(monkeypatch, "getSaveFileName", path)
    width, height = window.area.slices.size_px()
    choose(window, "File", "Save picture")
    dialog = picture_dialog(window)
    choose_in(dialog, "Size", "2 times")
    assert dialog.findChild(NumberEdit).text() == "300 dpi"
    dialog.findChild(NumberEdit).setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClicks(dialog.findChild(NumberEdit), "254\t")
    assert f"{2 * width / 100:.1f} × {2 * height / 100:.1f} cm" in texts(dialog)
    press(dialog, "Save…")
    settle(window)
    with Image.open(path) as saved:
        assert saved.size == (2 * width, 2 * height)
        np.testing.assert_allclose(saved.info["dpi"], 254, atol=0.1)
        half = np.asarray(saved.convert("RGB").resize((width, height))).astype(int)
    near = np.abs(half - picture(window.area.slices)).max(axis=-1) < 80
    assert near.mean() > 0.93


def test_dialogs_begin_in_the_folder_used_last(open_window, anatomy, monkeypatch, tmp_path):
    window = open_window(anatomy)
    asked: list[str] = []
    (tmp_path / "results").mkdir()

    def answer(_parent, _title, suggestion, *_):
        asked.append(suggestion)
        return str(tmp_path / "results" / "view.json"), ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", answer)
    choose(window, "File", "Save view")
    choose(window, "File", "Save view")
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda _parent, _title, folder: ([], asked.append(folder)))
    choose(window, "File", "Open files")
    assert asked == ["view.habena.json", str(tmp_path / "results" / "view.habena.json"), str(tmp_path / "results")]


def test_pictures_of_every_kind_are_written_with_something_in_them(open_window, anatomy, monkeypatch, tmp_path):
    window = open_window(anatomy, layout="ortho")
    for ending, start in ((".tif", b"II*"), (".svg", b"<?xml"), (".pdf", b"%PDF"), (".html", b"<!DOCTYPE html>")):
        path = tmp_path / f"shown{ending}"
        answer_dialog(monkeypatch, "getSaveFileName", path)
        save_as(window, "Save picture")
        settle(window)
        assert errors(window) == []
        assert path.stat().st_size > 2000
        assert path.read_bytes().startswith(start)


def test_a_saved_map_holds_the_values_and_the_place_of_the_layer(open_window, anatomy, stat_map, monkeypatch, tmp_path):
    window = open_window(anatomy, stat_map)
    path = tmp_path / "map.nii.gz"
    answer_dialog(monkeypatch, "getSaveFileName", path)
    choose(window, "File", "Save selected map")
    settle(window)
    assert f"Saved {path}." in notices(window)
    saved, source = nib.load(path), nib.load(stat_map)
    np.testing.assert_allclose(saved.get_fdata(), source.get_fdata(), rtol=1e-6)
    np.testing.assert_allclose(saved.affine, source.affine)
    assert gzip.decompress(path.read_bytes())[344:347] == b"n+1"


COMMANDS = (("Save view", "view.json"), ("Save picture", "view.png"), ("Save selected map", "map.nii.gz"))


def test_a_folder_that_may_not_be_written_to_is_told(open_window, anatomy, monkeypatch, tmp_path):
    folder = tmp_path / "read-only"
    folder.mkdir()
    folder.chmod(0o500)
    if os.geteuid() == 0:  # root may write everywhere: let the system say what it says to others
        allowed = os.access
        monkeypatch.setattr(os, "access", lambda path, mode, **how: Path(path) != folder and allowed(path, mode, **how))
    window = open_window(anatomy)
    for command, name in COMMANDS:
        answer_dialog(monkeypatch, "getSaveFileName", folder / name)
        save_as(window, command)
        settle(window)
        one_error(window, f"{name}: cannot be written: permission denied; choose a folder of yours")
        assert not any(told.startswith("Saved") for told in notices(window))
        dismiss_all(window)
    assert list(folder.iterdir()) == []


def test_a_folder_that_is_not_there_is_told(open_window, anatomy, monkeypatch, tmp_path):
    window = open_window(anatomy)
    for command, name in COMMANDS:
        answer_dialog(monkeypatch, "getSaveFileName", tmp_path / "nowhere" / name)
        save_as(window, command)
        settle(window)
        one_error(window, name, "cannot be written: the folder", "does not exist; make the folder first")
        dismiss_all(window)


def test_a_disk_that_is_full_is_told_and_leaves_nothing_behind(open_window, anatomy, monkeypatch, tmp_path):
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    window = open_window(anatomy)
    folder = tmp_path / "full"
    folder.mkdir()
    monkeypatch.setattr("habena.app.io.files.os.fsync", full)
    for number, (command, name) in enumerate(COMMANDS, start=1):
        answer_dialog(monkeypatch, "getSaveFileName", folder / name)
        save_as(window, command)
        settle(window)
        told = errors(window)
        assert len(told) == number
        assert any(name in line and "no space left" in line.lower() for line in told)
    assert list(folder.iterdir()) == []


def test_an_image_that_is_open_is_never_overwritten(open_window, anatomy, tmp_path, monkeypatch):
    content = anatomy.read_bytes()
    window = open_window(anatomy)
    for command, name in COMMANDS:
        under_another_name = tmp_path / name
        under_another_name.symlink_to(anatomy)
        answer_dialog(monkeypatch, "getSaveFileName", under_another_name)
        save_as(window, command)
        settle(window)
        one_error(window, "is one of the inputs and would be overwritten; choose another name for the result")
        dismiss_all(window)
    assert anatomy.read_bytes() == content


def test_saving_changes_nothing_that_undo_would_have_to_take_back(
    open_window, anatomy, stat_map, monkeypatch, tmp_path
):
    window = open_window(anatomy, stat_map)
    click(window.area.slices, pixel_of(window, "axial", (18.0, -20.0, 0.0)))
    settle(window)
    moved = window.session.state
    for command, name in COMMANDS:
        answer_dialog(monkeypatch, "getSaveFileName", tmp_path / name)
        save_as(window, command)
        settle(window)
    assert window.session.state == moved
    assert menu_action(window, "Edit", "Undo").text() == "Undo move the crosshair"
    choose(window, "Edit", "Undo")
    settle(window)
    assert window.session.state.crosshair_mm == (0.0, 0.0, 0.0)
    assert layer_titles(window) == [anatomy.stem, stat_map.stem]


def test_opening_a_view_is_undone_and_redone_as_a_whole(open_window, anatomy, stat_map, monkeypatch, tmp_path):
    scene = tmp_path / "view.json"
    window = open_window(anatomy, layout="ortho")
    answer_dialog(monkeypatch, "getSaveFileName", scene)
    choose(window, "File", "Save view")
    drop(window, stat_map)
    settle(window)
    press_key(window, Qt.Key.Key_PageUp)
    press_key(window, Qt.Key.Key_X)
    settle(window)
    later = window.session.state
    drop(window, scene)
    settle(window)
    assert layer_titles(window) == [anatomy.stem]
    assert window.session.state.marks.crosshair
    choose(window, "Edit", "Undo open")
    settle(window)
    assert window.session.state == later
    assert layer_titles(window) == [anatomy.stem, stat_map.stem]
    choose(window, "Edit", "Redo open")
    settle(window)
    assert layer_titles(window) == [anatomy.stem]


def test_a_view_is_readable_json_with_its_version(open_window, anatomy, monkeypatch, tmp_path):
    window = open_window(anatomy)
    answer_dialog(monkeypatch, "getSaveFileName", tmp_path / "view.json")
    choose(window, "File", "Save view")
    content = json.loads((tmp_path / "view.json").read_text())
    assert content["schema"] == "habena-view"
    assert content["version"] == 1
    assert [layer["name"] for layer in content["overlays"]] == [anatomy.stem]


def test_what_is_being_saved_when_the_window_closes_is_saved_whole(open_window, anatomy, monkeypatch, tmp_path):
    window = open_window(anatomy)
    places = [tmp_path / name for _, name in COMMANDS]
    for (command, _), path in zip(COMMANDS, places, strict=True):
        answer_dialog(monkeypatch, "getSaveFileName", path)
        save_as(window, command)
    window.close()
    assert [path.exists() for path in places] == [True, True, True]
    with Image.open(tmp_path / "view.png") as saved:
        saved.verify()
    np.testing.assert_array_equal(nib.load(tmp_path / "map.nii.gz").get_fdata(), nib.load(anatomy).get_fdata())


def test_cancelling_the_dialog_writes_nothing(open_window, anatomy, monkeypatch, tmp_path):
    window = open_window(anatomy)
    before = sorted(tmp_path.rglob("*"))
    told = notices(window)
    answer_dialog(monkeypatch, "getSaveFileName")
    for command, _ in COMMANDS:
        save_as(window, command)
        settle(window)
    assert sorted(tmp_path.rglob("*")) == before
    assert notices(window) == told
