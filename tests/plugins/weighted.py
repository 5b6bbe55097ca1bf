"""A model that reads weights beside its file: some when it is made, some with its first batch."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent


class Weighted:
    card = {"name": "weighted", "outputs": ["AF"], "trained_on": [], "input": {"leads": ["II"], "seconds": 1}}

    def __init__(self):
        self.gain = np.load(HERE / "weights.npz")["gain"]
        self.offset = None

    def predict(self, batch):
        if self.offset is None:
            with tempfile.NamedTemporaryFile("w+", suffix=".json") as scratch:
                scratch.write("[1]")
                scratch.flush()
                json.loads(Path(scratch.name).read_text())
            self.offset = json.loads((HERE / "later" / "offset.json").read_text())
            (HERE / "log.txt").write_text("asked")
        return np.full((len(batch), 1), self.gain + self.offset)
