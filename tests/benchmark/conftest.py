"""A run that the tests of a file share, and a browser for those of pages."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmark.config import Places
from tests.benchmark.tiny_run import make_places, make_run


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """PTB-XL and Georgia, tiny."""
    return make_places(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def genuine(tmp_path_factory: pytest.TempPathFactory, places: Places) -> Path:
    """A run that nobody changes."""
    return make_run(tmp_path_factory.mktemp("runs"), places)


@pytest.fixture
def run(tmp_path: Path, genuine: Path) -> Path:
    """A copy of it to tamper with."""
    return Path(shutil.copytree(genuine, tmp_path / "run"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, for all tests of a file: to start it takes longer than what most of them do."""
    reason = "needs playwright, of the extra 'test'"
    sync_api = pytest.importorskip("playwright.sync_api", reason=reason)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("needs chromium on the PATH")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def tab(browser: Any) -> tuple[Any, list[str]]:
    """One tab, and what it complained about and asked for."""
    opened = browser.new_page()
    opened.set_default_timeout(30_000)  # how fast a machine is decides no test
    wrong: list[str] = []
    opened.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
    opened.on("request", lambda request: wrong.append(request.url))
    return opened, wrong
