"""The PhysioNet/CinC Challenge 2021 training tree, one folder a database.

Quirks of the real tree that are kept: record lines that name the ``.mat`` file, units spelled ``mV``
and ``mv``, gains written ``1000.0(0)/mV``, ``16x1+24``, ``# Dx:`` beside ``#Dx:``, ages of NaN, codes
that are stated twice, databases without ``#Sx``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from cohorts.recording import STANDARD_LEADS
from cohorts.simulator.recordings import Simulated
from cohorts.simulator.statements import SCP_TO_SNOMED
from cohorts.simulator.writers.wfdb import MAT_OFFSET, SignalFile, write_record

_SINUS_RHYTHM = "426783006"
_PER_GROUP = 100


@dataclass(frozen=True)
class Database:
    """How one database of the tree is written.

    Attributes
    ----------
    name
        Record name of the n-th recording, from 0.
    date
        What follows the number of samples in the record line.
    unit
        As spelled in the gain.
    mat_name
        Whether the record line carries the name of the signal file.
    symptoms
        Whether there is a line ``#Sx``.
    sinus_alone
        Whether the code of sinus rhythm stands for a normal ECG, and so never beside another code.
    """

    name: Callable[[int], str]
    date: str
    unit: str = "mV"
    mat_name: bool = False
    symptoms: bool = True
    sinus_alone: bool = False


DATABASES = {
    "cpsc_2018": Database(lambda n: f"A{n + 1:04d}", "12-May-2020 12:33:59", sinus_alone=True),
    "cpsc_2018_extra": Database(lambda n: f"Q{n + 1:04d}", "15-May-2020 15:35:30"),
    "chapman_shaoxing": Database(lambda n: f"JS{n + 1:05d}", "23-Mar-2021 23:35:00"),
    "ningbo": Database(lambda n: f"JS{n + 10647:05d}", "26-Mar-2021 08:07:04"),
    "georgia": Database(
        lambda n: f"E{n + 1:05d}", "05-May-2020 09:49:17", mat_name=True, symptoms=False, sinus_alone=True
    ),
    "ptb": Database(
        lambda n: f"S{n + 1:04d}", "15-May-2020 15:22:05", unit="mv", symptoms=False, sinus_alone=True
    ),
    "ptb-xl": Database(lambda n: f"HR{n + 1:05d}", "04-Jun-2020 15:11:55", unit="mv"),
    "st_petersburg_incart": Database(lambda n: f"I{n + 1:04d}", "15-May-2020 15:26:10"),
}


def write(folder: Path, recordings: Iterable[Simulated]) -> None:
    """Write one database of the tree; the folder's name says which."""
    database = DATABASES[folder.name]
    for recording in recordings:
        group = folder / f"g{recording.number // _PER_GROUP + 1}"
        group.mkdir(parents=True, exist_ok=True)
        write_challenge_record(group, recording, database)


def write_challenge_record(folder: Path, recording: Simulated, database: Database) -> None:
    """Write header and MATLAB file of one recording."""
    name, random = database.name(recording.number), recording.random
    plain = random.random() < 0.97
    file = SignalFile(
        f"{name}.mat",
        recording.counts(1000.0),
        STANDARD_LEADS,
        gain=f"1000/{database.unit}" if plain else f"1000.0(0)/{database.unit}",
        format=f"16+{MAT_OFFSET}" if random.random() < 0.98 else f"16x1+{MAT_OFFSET}",
    )
    age = f"{recording.age:.0f}" if random.random() > 0.02 else "NaN"
    sex = ("Female" if recording.female else "Male") if random.random() > 0.005 else "Unknown"
    fields = [f"Age: {age}", f"Sex: {sex}", f"Dx: {','.join(snomed_codes(recording, database))}"]
    fields += ["Rx: Unknown", "Hx: Unknown"] + ["Sx: Unknown"] * database.symptoms
    mark = "# " if random.random() < 0.03 else "#"
    write_record(
        folder,
        f"{name}.mat" if database.mat_name else name,
        recording.rate,
        [file],
        [mark + text for text in fields],
        record_line=database.date,
    )


def snomed_codes(recording: Simulated, database: Database) -> list[str]:
    """Codes of a recording; one in a hundred states a code twice, as the real headers do."""
    words = [word for statement in recording.statements.values() for word in statement.split()]
    codes = list(dict.fromkeys(SCP_TO_SNOMED.get(word, word) for word in words)) or [_SINUS_RHYTHM]
    if database.sinus_alone and len(codes) > 1:
        codes = [code for code in codes if code != _SINUS_RHYTHM]
    return codes + codes[-1:] if recording.random.random() < 0.01 else codes
