"""Compressed runs: how much is unpacked when, by whom, and what happens when it stops."""

from __future__ import annotations

import gzip
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from habena.app.io import gzip_source
from habena.app.io.volumes import open_volume
from habena.app.problems import Cancelled
from nifti_files import image_file, numbers

SHAPE = (20, 20, 10, 30)
FRAME_BYTES = 20 * 20 * 10 * 2


@pytest.fixture
def run(tmp_path):
    data = numbers(SHAPE)
    return data, image_file(tmp_path / "a.nii.gz", data)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(gzip_source, "CHUNK_BYTES", 3000)


def test_the_first_frame_unpacks_no_more_than_it_needs(run):
    data, path = run
    volume = open_volume(path)
    assert (volume.frames_ready, volume.ready(0), volume.nbytes) == (0, False, 0)
    np.testing.assert_array_equal(volume.frame(), data[..., 0])
    assert (volume.frames_ready, volume.ready(0), volume.ready(1)) == (1, True, False)
    kept_for_display = 2 * FRAME_BYTES
    assert volume.nbytes < 2 * FRAME_BYTES + kept_for_display


def test_loading_reports_its_way_and_ends_with_everything_ready(run):
    data, path = run
    volume = open_volume(path)
    shares: list[float] = []
    volume.load(shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert len(shares) > 10
    assert volume.frames_ready == 30
    assert volume.nbytes == volume.bytes_needed == data.nbytes
    np.testing.assert_array_equal(volume.frame(29), data[..., 29])
    np.testing.assert_array_equal(volume.series((3, 4, 5)), data[3, 4, 5])


def test_loading_twice_unpacks_once(run, monkeypatch):
    _, path = run
    volume = open_volume(path)
    volume.load()
    path.unlink()
    volume.load()
    assert volume.frames_ready == 30


def test_a_cancelled_load_keeps_what_it_has_and_goes_on_later(run):
    data, path = run
    volume = open_volume(path)

    def stop(share: float) -> None:
        if volume.frames_ready >= 10:
            raise Cancelled

    with pytest.raises(Cancelled):
        volume.load(stop)
    assert 10 <= volume.frames_ready < 20
    np.testing.assert_array_equal(volume.frame(9), data[..., 9])
    volume.load()
    np.testing.assert_array_equal(volume.frame(29), data[..., 29])


def test_frames_come_while_another_thread_loads(run):
    data, path = run
    volume = open_volume(path)
    begun, go_on = threading.Event(), threading.Event()

    def slowly(share: float) -> None:
        if volume.frames_ready >= 3:
            begun.set()
            go_on.wait(10)

    with ThreadPoolExecutor(1) as pool:
        loading = pool.submit(volume.load, slowly)
        assert begun.wait(10)
        np.testing.assert_array_equal(volume.frame(1), data[..., 1])
        np.testing.assert_array_equal(volume.frame(7), data[..., 7])
        assert not loading.done()
        go_on.set()
        loading.result()
    assert volume.frames_ready == 30


def test_many_threads_get_the_same_numbers(run):
    data, path = run
    volume = open_volume(path)
    order = np.random.default_rng(1).permutation(30)
    with ThreadPoolExecutor(8) as pool:
        frames = list(pool.map(volume.frame, order.tolist()))
    for index, frame in zip(order, frames, strict=True):
        np.testing.assert_array_equal(frame, data[..., index])


def test_closing_while_half_read_starts_again(run):
    data, path = run
    volume = open_volume(path)
    volume.frame(4)
    volume.close()
    assert (volume.frames_ready, volume.nbytes) == (0, 0)
    np.testing.assert_array_equal(volume.frame(5), data[..., 5])


def test_streams_of_several_members_are_one_file(run):
    data, path = run
    content = gzip.decompress(path.read_bytes())
    cut = len(content) // 3
    path.write_bytes(gzip.compress(content[:cut]) + gzip.compress(content[cut:]))
    volume = open_volume(path)
    volume.load()
    np.testing.assert_array_equal(volume.frame(29), data[..., 29])
    volume.check_end()


@pytest.mark.parametrize("tail", [b"\0" * 512, b"appended by some archive program"])
def test_what_follows_a_sound_stream_does_not_matter(run, tail):
    data, path = run
    path.write_bytes(path.read_bytes() + tail)
    volume = open_volume(path)
    volume.load()
    np.testing.assert_array_equal(volume.frame(29), data[..., 29])
    volume.check_end()


def test_bytes_after_the_voxels_do_not_matter(run):
    data, path = run
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()) + b"trailer" * 100))
    volume = open_volume(path)
    volume.check_end()
    volume.load()
    np.testing.assert_array_equal(volume.frame(29), data[..., 29])
