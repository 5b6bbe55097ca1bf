"""What every test may need: real and made-up releases, and Ctrl-C as it works on a terminal."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

# There are as many test processes as processors: with threads of their own they would wait for each other.
# This is read when numpy and torch are imported, by the programs too that tests start.
os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile("patient", deadline=None)  # how fast a machine is decides no test
settings.load_profile("patient")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with real recordings, facts and known answers; the test is skipped without it."""
    root = Path(__file__).resolve().parents[1]
    folder = Path(os.environ.get("LEADBOARD_SAMPLES", root.parent / "shared"))
    if not (folder / "data").is_dir():
        pytest.skip(f"needs the real sample data (LEADBOARD_SAMPLES, or {folder.name}/ beside the checkout)")
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data/ (PTB-XL and Georgia) and a cache for all tests of a file."""
    from tests.releases import write_challenge, write_ptb_xl

    folder = tmp_path_factory.mktemp("home")
    write_ptb_xl(folder / "data")
    write_challenge(folder / "data")
    return folder


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect without looking for garbage among a million objects that stay; later searches skip them."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()
        gc.set_threshold(50_000, 20, 50)  # to search it after every 700 objects takes a twentieth of the time


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Start with the files that use the whole program: they take longest, and nobody should wait for them."""
    here = Path(__file__).parent
    items.sort(key=lambda item: item.path.parent != here)


def pytest_configure() -> None:
    """Obey SIGINT, and do not wait for the disk.

    A shell makes what it starts in the background ignore SIGINT, and their children too. What is written is
    there for everybody without being forced onto the disk: only a machine that loses its power could tell,
    and to wait for thousands of small files takes half a minute.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.fsync = lambda fd: None
