"""Ctrl-C that comes while a library is called back."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import os, signal, weakref
from habena.app.console import Progress, heed_interrupts
from habena.app.problems import Cancelled

class Thing:
    pass

heed_interrupts()
report = Progress("work")
report(0.1)
thing = Thing()
watched = weakref.ref(thing, lambda _: os.kill(os.getpid(), signal.SIGINT))
del thing  # what is raised in the callback is printed and dropped by Python
for _ in range(3):
    pass
try:
    report(0.2)
except Cancelled:
    print("stopped")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to send")
def test_an_interrupt_that_a_callback_drops_stops_the_work_at_its_next_report() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "stopped"
