"""A publisher on this machine that is quickly asked again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cohorts.download import transfer
from tests.cohorts.download.fetching import PTB_XL
from tests.download_server import Publisher, serve


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(transfer, "BACKOFF", 0.001)
    monkeypatch.setattr(transfer, "CHUNK", 1 << 12)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("LEADBOARD_MIRROR", "PHYSIONET_USER", "PHYSIONET_PASSWORD"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with serve(Publisher()) as server:
        server.physionet("ptb-xl/1.0.3", PTB_XL)
        yield server
