"""INCART, native: 75 half-hour Holter extracts at 257 Hz of 32 patients, every beat annotated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from cohorts.cohort import Cohort, CohortCard, IndexRow, Unreadable, parse_age
from cohorts.errors import RecordError
from cohorts.families.challenge import header_files
from cohorts.formats.wfdb_header import read_header
from cohorts.release import Release

_PATIENT = re.compile(r"<age>:\s*(\S+)\s*<sex>:\s*(\S+)\s*(?:<diagnoses>:?\s*(.*))?")
_NUMBER = re.compile(r"patient\s+(\d+)")
_BETWEEN_FINDINGS = re.compile(r"[,;]|\s(?:and|as|on|with)\s")

# Codes and symbols of beats in the MIT annotation format, https://physionet.org/physiotools/wag/annot-5.htm.
_BEATS = {1: "N", 2: "L", 3: "R", 4: "a", 5: "V", 6: "F", 7: "J", 8: "A", 9: "S", 10: "E", 11: "j", 12: "/"}
_BEATS |= {13: "Q", 25: "B", 34: "e", 35: "n", 38: "f", 41: "r"}
_SKIP, _AUXILIARY = 59, 63


class Incartdb(Cohort):
    """The native release: findings in words, diagnoses of the patient, and the kinds of beats that occur.

    The findings name what is striking: premature beats occur in more records than mention them, so the
    reference annotations (``.atr``) count as statements too (``beat V``).
    """

    card = CohortCard(
        id="incartdb",
        name="St Petersburg INCART (native)",
        version="1.0.0",
        licence="ODC-By-1.0",
        url="https://physionet.org/content/incartdb/1.0.0/",
        citation="Tihonenko et al., St Petersburg INCART 12-lead Arrhythmia Database (version 1.0.0), "
        "PhysioNet, 2008, doi:10.13026/C2V88N",
        vocabulary="incart",
        folder="incartdb",
        records=75,
        sampling_rates=(257.0,),
        country="Russia",
        overlaps=("incart",),
    )
    release = Release(size=833_000_000, open_data=True)

    def _read_index(self) -> Iterator[IndexRow | Unreadable]:
        for path in header_files(self.root):
            try:
                comments = [" ".join(comment.split()) for comment in read_header(path).comments]
            except RecordError as error:
                yield Unreadable(path.stem, str(error))
                continue
            lines = (*comments[:3], "", "", "")
            patient, number, findings = _PATIENT.fullmatch(lines[0]), _NUMBER.fullmatch(lines[1]), lines[2]
            if patient is None or number is None or not findings:
                yield Unreadable(path.stem, f"{path.name} lacks the comments on patient, number or findings.")
                continue
            age, sex, diagnoses = patient.groups(default="")
            yield IndexRow(
                record_id=path.stem,
                path=path.relative_to(self.root).as_posix(),
                statements=(
                    *_findings(findings),
                    *(f"diagnosis: {diagnosis}" for diagnosis in _findings(diagnoses)),
                    *_beats(path.with_suffix(".atr")),
                ),
                patient_id=number[1],
                age=parse_age(age),
                sex=sex,
                report=findings,
            )


def _findings(text: str) -> tuple[str, ...]:
    """Take "PVCs and couplets on bradycardia" apart."""
    return tuple(filter(None, map(str.strip, _BETWEEN_FINDINGS.split(text.lower()))))


def _beats(path: Path) -> tuple[str, ...]:
    """Name the kinds of beats in an annotation file, or say that they are not known."""
    words = np.fromfile(path, "<u2").tolist() if path.is_file() else []
    kinds: set[int] = set()
    at = 0
    while at < len(words) and words[at]:
        code, value = words[at] >> 10, words[at] & 1023
        kinds.add(code)
        at += 3 if code == _SKIP else 1 + (value + 1) // 2 if code == _AUXILIARY else 1
    if at >= len(words) or not kinds:  # no end mark: there is no such file, or it is cut off
        return ("beats not known",)
    return tuple(f"beat {symbol}" for code, symbol in _BEATS.items() if code in kinds)
