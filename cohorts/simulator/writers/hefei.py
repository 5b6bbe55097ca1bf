"""Hefei: a text file a recording, eight leads in units of 4.88 µV, and a list with tabs between its cells."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from cohorts.simulator.heart import EIGHT_LEADS
from cohorts.simulator.recordings import Simulated

_PER_MILLIVOLT = 1000 / 4.88


def write(folder: Path, recordings: Iterable[Simulated]) -> None:
    """Write round two's training set; a healthy person has the rhythm alone."""
    home = folder / "hf_round2_train"
    home.mkdir()
    lines, seen = [], []
    for recording in recordings:
        name = f"{100_001 + recording.number}.txt"
        counts = np.rint(recording.signal * _PER_MILLIVOLT).astype(int)
        rows = [" ".join(map(str, row)) for row in counts.T.tolist()]
        (home / name).write_text("\n".join([" ".join(EIGHT_LEADS), *rows, ""]))
        events = list(dict.fromkeys(" ".join(recording.statements.values()).split())) or ["窦性心律"]
        seen += [event for event in events if event not in seen]
        sex = "FEMALE" if recording.female else "MALE"
        lines.append("\t".join([name, str(int(recording.age)), sex, *events, ""]) + "\n")
    (folder / "hf_round2_train.txt").write_text("".join(lines), encoding="utf-8")
    (folder / "hf_round2_arrythmia.txt").write_text("\n".join([*seen, ""]), encoding="utf-8")
