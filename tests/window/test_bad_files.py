"""Bad input beside a good image: one clear sentence each, and the session goes on."""

from __future__ import annotations

import gzip
import os
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import pytest
from file_events import (
    choose,
    dismiss_all,
    drop,
    errors,
    is_drawn,
    layer_titles,
    one_error,
    press_in_notice,
    remove_layer,
)
from habena.app.saved import save_view
from habena.app.window import Window
from PySide6.QtCore import Qt
from window_events import click, colour_on_slice, picture, pixel_of, press_key, settle, slice_panel, texts

NIBABEL_DATA = Path(nib.__file__).parent / "tests" / "data"
HEADER_BYTES = 352


def goes_on(window: Window) -> None:
    """The good image is drawn where it lies, and a click on it moves the crosshair and tells its value."""
    settle(window)
    inside = colour_on_slice(window, "axial", (20.0, -30.0, 0.0))
    rect = slice_panel(window, "axial").rect
    beside = picture(window.area.slices)[round(rect.y + 0.8 * rect.height), round(rect.x + 0.04 * rect.width)]
    assert inside[0] > beside[0] + 60, "the good image is not drawn any more"
    click(window.area.slices, pixel_of(window, "axial", (16.0, 20.0, 0.0)))
    settle(window)
    x, y, _ = window.session.state.crosshair_mm
    assert (x, y) == pytest.approx((16.0, 20.0), abs=1.0)


def patched(path: Path, content: bytes, offset: int, form: str, *values: float) -> Path:
    """A NIfTI-1 file with one field of its header overwritten."""
    changed = bytearray(content)
    struct.pack_into("<" + form, changed, offset, *values)
    path.write_bytes(bytes(changed))
    return path


Maker = Callable[[Path, bytes], Path]


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def _half_of_a_pair(folder: Path, _: bytes) -> Path:
    return Path(shutil.copy(NIBABEL_DATA / "phantom_varscale.PAR", folder))


BAD: dict[str, tuple[Maker, tuple[str, ...]]] = {
    "a file cut short": (
        lambda folder, good: _written(folder / "bad.nii", good[:20000]),
        ("bad.nii: ends within the image (20,000 of 42,592 bytes are there); copy or download it again",),
    ),
    "a compressed file cut short": (
        lambda folder, good: _written(folder / "bad.nii.gz", gzip.compress(good)[: len(gzip.compress(good)) // 2]),
        ("bad.nii.gz: ends", "; copy or download it again"),
    ),
    "a table under the name of an image": (
        lambda folder, _: _written(folder / "bad.nii", b"subject,age\n1,34\n"),
        ("bad.nii", "but is text"),
    ),
    "a web page saved as an image": (
        lambda folder, _: _written(folder / "bad.nii.gz", b"<!DOCTYPE html>\n<html>Please log in</html>"),
        ("bad.nii.gz", "web page", "; download the file itself"),
    ),
    "an empty file": (
        lambda folder, _: _written(folder / "bad.nii", b""),
        ("bad.nii: is empty (zero bytes); copy or download it again",),
    ),
    "an affine that squeezes the head flat": (
        lambda folder, good: patched(folder / "bad.nii", good, 280, "12f", 4, 0, 0, 0, 4, 0, 0, 0, 0, 0, 4, 0),
        ("bad.nii", "sform is singular"),
    ),
    "a header of absurd sizes": (
        lambda folder, good: patched(folder / "bad.nii", good, 40, "8h", 7, *(32767,) * 7),
        ("bad.nii", "which no file holds"),
    ),
    "a header with a negative size": (
        lambda folder, good: patched(folder / "bad.nii", good, 40, "8h", 3, -20, 24, 22, 1, 1, 1, 1),
        ("bad.nii", "a dimension of -20"),
    ),
    "a small compressed file that would unpack to 64 GB": (
        lambda folder, good: _bomb(folder / "bad.nii.gz", good),
        ("bad.nii.gz: cannot hold the 64,000,000,352 bytes that its header promises",),
    ),
    "a PAR file without its REC file": (_half_of_a_pair, ("phantom_varscale.REC", "missing; put")),
    "a file that is not there": (
        lambda folder, _: folder / "sub-01_space-MNI152NLin6Asym_T1.nii",
        ("does not exist; did you mean sub-01_space-MNI152NLin6Asym_T1w.nii?",),
    ),
    "a folder without images": (
        lambda folder, _: _folder_of_text(folder / "notes"),
        ("notes: holds no image", "; open the file itself, or a folder with images"),
    ),
    "a damaged view": (
        lambda folder, _: _written(folder / "view.json", b'{"schema": "habena-view", "version": 1, "overlays": 3}'),
        ("view.json: not a Habena view", "; open the scene file that Habena saved"),
    ),
    "a view of a newer program": (
        lambda folder, _: _written(folder / "view.json", b'{"schema": "habena-view", "version": 99}'),
        ("view.json", "newer Habena", "; update Habena"),
    ),
    "a picture that carries no view": (
        lambda folder, _: _written(folder / "photo.png", b"\x89PNG\r\n\x1a\n" + bytes(60)),
        ("photo.png", "; name the image that it was made from, or a view that Habena saved"),
    ),
    "a damaged surface": (
        lambda folder, _: _written(folder / "lh.pial.gii", b"<?xml version='1.0'?><GIFTI Version='1.0'><Data"),
        ("lh.pial.gii",),
    ),
}


def _folder_of_text(folder: Path) -> Path:
    folder.mkdir()
    (folder / "a.txt").write_text("nothing to see")
    return folder


def _bomb(path: Path, good: bytes) -> Path:
    header = bytearray(good[:HEADER_BYTES])
    struct.pack_into("<8h", header, 40, 3, 2000, 2000, 2000, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, 64, 64)
    return _written(path, gzip.compress(bytes(header) + bytes(2_000_000)))


def test_bad_input_is_told_in_one_sentence_and_the_session_goes_on(open_window, anatomy, tmp_path):
    window = open_window(anatomy)
    for case, (make, words) in BAD.items():
        dismiss_all(window)
        before = window.session.state
        assert drop(window, make(tmp_path, anatomy.read_bytes()))
        settle(window)
        told = errors(window)
        assert len(told) == 1, (case, told)
        assert all(word in told[0] for word in words), (case, told)
        assert layer_titles(window) == [anatomy.stem], case
        assert window.session.state == before, case
        assert not any(text.startswith("Opening") for text in texts(window.job_bar)), case
        goes_on(window)
        assert errors(window) == told, case


def test_a_file_without_permission_is_told_with_whom_to_ask(open_window, anatomy, tmp_path, monkeypatch):
    secret = Path(shutil.copy(anatomy, tmp_path / "secret.nii"))
    if os.geteuid() == 0:  # root may read everything: let the system say what it says to others
        allowed = Path.open

        def guarded(path: Path, *args: object, **kwargs: object) -> object:
            if path.name == secret.name:
                raise PermissionError(13, "Permission denied", str(path))
            return allowed(path, *args, **kwargs)

        monkeypatch.setattr(Path, "open", guarded)
    else:
        secret.chmod(0)
    window = open_window(anatomy)
    drop(window, secret)
    settle(window)
    one_error(window, "secret.nii: may not be read: permission denied; ask its owner")
    goes_on(window)


def test_several_bad_files_at_once_are_told_one_by_one_and_the_good_one_among_them_opens(
    open_window, anatomy, stat_map, tmp_path
):
    empty, text = _written(tmp_path / "empty.nii", b""), _written(tmp_path / "text.nii", b"a,b\n1,2\n")
    window = open_window(anatomy)
    drop(window, empty, stat_map, text)
    settle(window)
    told = errors(window)
    assert len(told) == 2
    assert any("empty.nii" in line for line in told)
    assert any("text.nii" in line for line in told)
    assert layer_titles(window) == [anatomy.stem, stat_map.stem]
    goes_on(window)


def test_the_same_bad_file_opened_twice_is_told_once(open_window, anatomy, tmp_path):
    window = open_window(anatomy)
    for _ in range(2):
        drop(window, _written(tmp_path / "empty.nii", b""))
        settle(window)
    one_error(window, "empty.nii")


def test_a_bad_file_on_an_empty_window_leaves_the_welcome_page(open_window, tmp_path):
    window = open_window()
    drop(window, _written(tmp_path / "empty.nii", b""), over=window.welcome)
    settle(window)
    one_error(window, "empty.nii")
    assert window.welcome.isVisible()


def test_a_compressed_series_cut_short_shows_the_volumes_before_the_cut(open_window, anatomy, small_run):
    run = small_run(volumes=40)
    os.truncate(run, run.stat().st_size * 2 // 3)
    window = open_window(anatomy)
    drop(window, run)
    settle(window)
    one_error(window, run.name, "of 40 volumes; copy or download it again")
    assert layer_titles(window) == [anatomy.stem, run.name.removesuffix(".nii.gz")]
    assert is_drawn(window)
    press_key(window, Qt.Key.Key_V)
    goes_on(window)
    one_error(window, run.name, "of 40 volumes")


def test_a_view_whose_files_are_partly_gone_opens_with_those_that_are_there(open_window, anatomy, stat_map, tmp_path):
    first = open_window(anatomy, stat_map)
    scene = tmp_path / "view.habena.json"
    save_view(str(scene), first.session.state)
    first.close()
    stat_map.unlink()
    window = open_window(layout=None)
    drop(window, scene, over=window.welcome)
    settle(window)
    one_error(window, stat_map.name, "does not exist")
    assert layer_titles(window) == [anatomy.stem, stat_map.stem]
    goes_on(window)
    one_error(window, stat_map.name, "does not exist")


# -- while it is open


@pytest.fixture
def plain_run(small_run: Callable[..., Path], tmp_path: Path) -> Path:
    """An uncompressed series, which stays on disk and is read where it is looked at."""
    packed = small_run(volumes=12)
    path = tmp_path / packed.name.removesuffix(".gz")
    path.write_bytes(gzip.decompress(packed.read_bytes()))
    packed.unlink()
    return path


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (Path.unlink, "is no longer there; put it back, or close the image"),
        (lambda path: os.truncate(path, 30000), "was cut short while it was open (30,000 of "),
        (lambda path: path.write_bytes(path.read_bytes() + b"\0"), "was changed by another program while it was open"),
    ],
    ids=["vanished", "cut short", "rewritten"],
)
def test_a_series_that_is_harmed_while_it_is_open_is_told_once_when_the_crosshair_moves(
    open_window, anatomy, plain_run, harm, words
):
    window = open_window(anatomy, plain_run)
    assert errors(window) == []
    harm(plain_run)
    for x in (-20.0, 8.0, 24.0):
        click(window.area.slices, pixel_of(window, "axial", (x, 6.0, 0.0)))
        settle(window)
    one_error(window, plain_run.name, words)
    goes_on(window)
    one_error(window, plain_run.name, words)


def test_a_vanished_series_that_is_put_back_shows_again_when_it_is_tried_again(
    open_window, anatomy, plain_run, tmp_path
):
    window = open_window(anatomy, plain_run)
    away = tmp_path / "elsewhere"
    plain_run.rename(away)
    click(window.area.slices, pixel_of(window, "axial", (-20.0, 6.0, 0.0)))
    settle(window)
    one_error(window, plain_run.name, "is no longer there")
    assert not is_drawn(window)
    away.rename(plain_run)
    press_in_notice(window, "Try again")
    settle(window)
    assert errors(window) == []
    assert is_drawn(window)


def test_an_image_that_vanishes_keeps_being_drawn_from_memory(open_window, anatomy):
    window = open_window(anatomy)
    anatomy.unlink()
    goes_on(window)
    assert errors(window) == []
    press_key(window, Qt.Key.Key_PageUp)
    settle(window)
    assert slice_panel(window, "axial").position_mm != 0.0


def test_a_layer_whose_file_is_gone_can_be_removed_and_brought_back(open_window, anatomy, plain_run):
    window = open_window(anatomy, plain_run)
    plain_run.unlink()
    click(window.area.slices, pixel_of(window, "axial", (-20.0, 6.0, 0.0)))
    settle(window)
    one_error(window, plain_run.name, "is no longer there")
    remove_layer(window)
    assert layer_titles(window) == [anatomy.stem]
    goes_on(window)
    choose(window, "Edit", "Undo")
    choose(window, "Edit", "Undo")
    settle(window)
    assert layer_titles(window) == [anatomy.stem, plain_run.stem]
    one_error(window, plain_run.name, "is no longer there")
    goes_on(window)
