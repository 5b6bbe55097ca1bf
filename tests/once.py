"""What takes long to make and is only read: made by the first test process that needs it, for all of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The folder of this name that ``make`` has filled, in this process or in one beside it."""
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent  # the folder of this session; each process has one of its own below it
    folder, finished = base / f"once-{name}", base / f"once-{name}.finished"
    with FileLock(base / f"once-{name}.lock"):
        if not finished.exists():
            make(folder)
            finished.touch()
    return folder
