"""Brugada-HUCA: a folder a person with one WFDB record, and a table of three yes-or-no columns."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from cohorts.recording import STANDARD_LEADS
from cohorts.simulator.recordings import Simulated
from cohorts.simulator.writers.wfdb import SignalFile, write_record


def write(folder: Path, recordings: Iterable[Simulated]) -> None:
    """Write the release; as in the real one, ``RECORDS`` names a record twice."""
    names = []
    with (folder / "metadata.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["patient_id", "basal_pattern", "sudden_death", "brugada"])
        for recording in recordings:
            person = str(188_981 + 1_123 * recording.number)
            home = folder / "files" / person
            home.mkdir(parents=True)
            names.append(f"files/{person}/{person}\n")
            file_of_signals = SignalFile(
                f"{person}.dat", recording.counts(), STANDARD_LEADS, gain="1000.0(0)/mV"
            )
            write_record(home, person, recording.rate, [file_of_signals])
            table.writerow([person, *_labels(recording)])
    (folder / "RECORDS").write_text("".join([*names, *names[-1:]]))


def _labels(recording: Simulated) -> tuple[int, int, int]:
    """Whether the pattern was pathological, whether the person died suddenly, and the diagnosis."""
    random = recording.random
    diagnosed = "STEA" in recording.present
    brugada = (2 if random.random() < 0.1 else 1) if diagnosed else 0
    return int(random.random() < (0.3 if diagnosed else 0.08)), int(random.random() < 0.03), brugada
