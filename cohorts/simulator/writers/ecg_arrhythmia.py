"""The PhysioNet release of Chapman-Shaoxing and Ningbo: the same recordings as in the Challenge tree.

Names, counts and codes are those of the two folders of the tree; only the layout differs, and the
first code is always the rhythm.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from cohorts.simulator.recordings import Simulated
from cohorts.simulator.writers.challenge import DATABASES, write_challenge_record

_ACRONYMS = {
    "1AVB": ("1 degree atrioventricular block", "270492004"),
    "AFIB": ("Atrial Fibrillation", "164889003"),
    "AF": ("Atrial Flutter", "164890007"),
    "SB": ("Sinus Bradycardia", "426177001"),
    "SR": ("Sinus Rhythm", "426783006"),
    "ST": ("Sinus Tachycardia", "427084000"),
    "SA": ("Sinus Irregularity", "427393009"),
    "SVT": ("Supraventricular Tachycardia", "426761007"),
    "LBBB": ("left bundle branch block", "164909002"),
    "RBBB": ("right bundle branch block", "59118001"),
    "APB": ("atrial premature beats", "284470004"),
    "VPB": ("ventricular premature beat", "17338001"),
    "IDC": ("Interior differences conduction", "698252002"),
    "IVB": ("Intraventricular block", "698252002"),
    "TWC": ("T wave Change", "164934002"),
    "TWO": ("T wave opposite", "59931005"),
    "STDD": ("ST drop down", "429622005"),
    "LVH": ("left ventricle hypertrophy", "164873001"),
    "ALS": ("Axis left shift", "39732003"),
    "ARS": ("Axis right shift", "47665007"),
}


def write(folder: Path, chapman: Iterable[Simulated], ningbo: Iterable[Simulated]) -> None:
    """Write the release from the recordings of both hospitals."""
    names = []
    for database, recordings in (("chapman_shaoxing", chapman), ("ningbo", ningbo)):
        for recording in recordings:
            name = DATABASES[database].name(recording.number)
            number = int(name[2:])
            group = Path("WFDBRecords", f"{number // 1000 + 1:02d}", f"{number // 100 + 10:03d}")
            (folder / group).mkdir(parents=True, exist_ok=True)
            write_challenge_record(folder / group, recording, DATABASES[database])
            names.append(f"{group.as_posix()}/{name}\n")
    (folder / "RECORDS").write_text("".join(names))
    table = "Acronym Name,Full Name,Snomed_CT\r\n"
    table += "".join(f"{acronym},{name},{code}\r\n" for acronym, (name, code) in _ACRONYMS.items())
    (folder / "ConditionNames_SNOMED-CT.csv").write_bytes(b"\xef\xbb\xbf" + table.encode())
