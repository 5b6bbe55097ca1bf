"""LUDB: lower-case leads with a gain and a baseline each, and statements as text.

String cells of the table end with a newline, several statements of one cell stand on lines of their
own, and an age above 89 is ``>89``.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from cohorts.recording import STANDARD_LEADS
from cohorts.simulator.drawing import twelve_leads
from cohorts.simulator.recordings import Simulated
from cohorts.simulator.writers.wfdb import SignalFile, write_record

_AXIS = "Electric axis of the heart"
_COLUMNS = (
    "Rhythms",
    _AXIS,
    "Conduction abnormalities",
    "Extrasystolies",
    "Hypertrophies",
    "Cardiac pacing",
    "Ischemia",
    "Non-specific repolarization abnormalities",
    "Other states",
)
# Highest frontal axis in degrees, and what it is called.
_AXES = (
    (-150, "right axis deviation"),
    (0, "left axis deviation"),
    (30, "horizontal"),
    (70, "normal"),
    (90, "vertical"),
)
_LEADS = tuple(lead.lower() for lead in STANDARD_LEADS)


def write(folder: Path, recordings: Iterable[Simulated]) -> None:
    """Write the release."""
    data = folder / "data"
    data.mkdir()
    with (folder / "ludb.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["ID", "Sex", "Age", *_COLUMNS])
        for recording in recordings:
            cells = _cells(recording)
            age = ">89" if recording.age > 89 else str(int(recording.age))
            sex = "F" if recording.female else "M"
            lines = {column: "\n".join(cells[column]) for column in _COLUMNS}
            table.writerow([recording.number + 1, f"{sex}\n", f"{age}\n", *(lines[c] for c in _COLUMNS)])
            _write_signal(data, recording, age, sex, cells)


def _cells(recording: Simulated) -> dict[str, list[str]]:
    """Statements by column, each once."""
    cells: dict[str, list[str]] = defaultdict(list)
    for way in recording.statements.values():
        for statement in way.split("|"):
            column, _, text = statement.partition("=")
            if text not in cells[column]:
                cells[column].append(text)
    if not cells["Rhythms"]:  # paced, or blocked: what the atria do is stated all the same
        cells["Rhythms"] = ["Atrial fibrillation" if recording.heart.fibrillation else "Sinus rhythm"]
    degrees = recording.heart.frontal_axis()
    axis = next((name for limit, name in _AXES if degrees <= limit), "right axis deviation")
    cells[_AXIS] = [f"{_AXIS}: {axis}"]
    return cells


def _write_signal(
    folder: Path, recording: Simulated, age: str, sex: str, cells: dict[str, list[str]]
) -> None:
    name = str(recording.number + 1)
    millivolts = twelve_leads(recording.signal)
    gains = recording.random.integers(700, 3700, 12)
    baselines = recording.random.integers(-25, 26, 12)
    counts = np.clip(np.rint(millivolts * gains[:, None] + baselines[:, None]), -32767, 32767)
    fields = [f"{gain}({baseline})/mV" for gain, baseline in zip(gains, baselines, strict=True)]
    file = SignalFile(f"{name}.dat", counts.astype(np.int16), _LEADS, gain=fields, resolution=0)
    comments = [f"#<age>: {age}", f"#<sex>: {sex}", "#<diagnoses>:"]
    for column in _COLUMNS:
        prefix = "Rhythm: " if column == "Rhythms" else ""
        comments += [f"#{prefix}{text}. " for text in cells[column]]
    write_record(folder, name, recording.rate, [file], comments)
