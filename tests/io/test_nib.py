"""One door to nibabel."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

APP = Path(__file__).resolve().parents[2] / "app"

TWO_THREADS = """
import threading
from importlib import import_module

ready, failed = threading.Barrier(2), []

def begin(module):
    ready.wait()
    try:
        import_module(module)
    except Exception as error:
        failed.append(repr(error))

names = ("habena.app.io.mgh", "habena.app.io.minc")
import habena.app.io.layout, habena.app.io.gzip_stream
threads = [threading.Thread(target=begin, args=(name,)) for name in names]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert not failed, failed
"""


def test_two_threads_may_begin_with_different_formats():
    for _ in range(3):
        subprocess.run([sys.executable, "-c", TWO_THREADS], check=True, capture_output=True)


def test_nobody_goes_round_the_door():
    direct = re.compile(r"^\s*(from|import) nibabel", re.MULTILINE)
    others = [path.name for path in APP.rglob("*.py") if path.name != "nib.py" and direct.search(path.read_text())]
    assert others == []
