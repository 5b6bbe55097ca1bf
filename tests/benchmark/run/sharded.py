"""A model that is asked in shards, and what it was asked."""

from __future__ import annotations

from pathlib import Path

from benchmark.progress import Reporter
from tests.releases import write_challenge, write_ptb_xl

MODEL = """
import os
import time
from pathlib import Path

import numpy as np

from benchmark.protocols import shards

HERE = Path(__file__).parent
shards.SIZE = 16  # in every process that finds the model

class Sharded:
    card = {"name": "sharded", "outputs": ["AF", "LVH"], "trained_on": []}

    def asked(self, batch):
        gain = float((HERE / "gain.txt").read_text())
        log = HERE / "asked.txt"
        earlier = log.read_text().split() if log.exists() else []
        with log.open("a") as file:
            file.write(f"{float(batch.signals.std()):.9f}/{os.getpid()}\\n")
        deadline = time.monotonic() + 120
        while earlier and (HERE / "hold").exists() and time.monotonic() < deadline:
            (HERE / "began").touch()
            time.sleep(0.05)
        means = batch.signals.mean(axis=2)
        return gain * (means - means.mean(axis=0))  # which depends on the whole batch

    def predict(self, batch):
        return self.asked(batch)[:, :2]

class Embedding(Sharded):
    card = {"name": "embedding", "outputs": [], "trained_on": []}

    def embed(self, batch):
        return np.concatenate([self.asked(batch), batch.signals.std(axis=2)], axis=1)
"""


def write_sharded(folder: Path) -> Path:
    """Two releases and the model."""
    write_ptb_xl(folder / "data")
    write_challenge(folder / "data", "georgia")
    (folder / "sharded.py").write_text(MODEL)
    (folder / "gain.txt").write_text("2.0")
    return folder


def asked(home: Path) -> list[str]:
    """What the model was asked about, by the standard deviation of each batch."""
    log = home / "asked.txt"
    return [line.partition("/")[0] for line in log.read_text().split()] if log.exists() else []


def askers(home: Path) -> set[int]:
    """The processes in which the model was asked."""
    return {int(line.partition("/")[2]) for line in (home / "asked.txt").read_text().split()}


class Heard(Reporter):
    """Keeps what is said."""

    def __init__(self) -> None:
        super().__init__(quiet=True)
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)
