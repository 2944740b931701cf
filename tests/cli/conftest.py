"""What tests of the command line share."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication


@pytest.fixture(scope="session", autouse=True)
def application(qapp: QApplication) -> QApplication:
    """Pictures are drawn under the one application that the window's tests use too."""
    return qapp
