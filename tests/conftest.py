"""Where the real sample data are, and nothing else that every test needs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with real recordings, facts and known answers; the test is skipped without it."""
    root = Path(__file__).resolve().parents[1]
    folder = Path(os.environ.get("LEADBOARD_SAMPLES", root.parent / "shared"))
    if not (folder / "data").is_dir():
        pytest.skip(f"needs the real sample data (LEADBOARD_SAMPLES, or {folder.name}/ beside the checkout)")
    return folder
