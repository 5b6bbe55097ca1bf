"""INCART: half-hour recordings at 257 Hz, a gain of its own each, three comment lines, beat annotations."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path

from cohorts.recording import STANDARD_LEADS
from cohorts.simulator.recordings import Simulated
from cohorts.simulator.rhythm import Beats
from cohorts.simulator.wordings import INCART_FINDINGS
from cohorts.simulator.writers.wfdb import SignalFile, write_record

_LEADS = tuple(lead.upper() for lead in STANDARD_LEADS)
_NORMAL, _PREMATURE = 1, 5  # annotation codes of normal and premature ventricular beats
_SKIP = 59
_DIAGNOSES = ("Coronary artery disease, arterial hypertension", "Acute MI", "Transient ischemic attack", "")


def write(folder: Path, recordings: Iterable[Simulated]) -> None:
    """Write the release."""
    names = []
    for recording in recordings:
        name = f"I{recording.number + 1:02d}"
        names.append(f"{name}\n")
        random = recording.random
        gain = int(random.integers(240, 1064))
        file = SignalFile(f"{name}.dat", recording.counts(gain), _LEADS, gain=str(gain))
        diagnoses = str(random.choice(_DIAGNOSES))
        findings = [INCART_FINDINGS[c][0] for c in recording.stated if c in INCART_FINDINGS]
        comments = [
            f"#<age>: {recording.age:.0f} <sex>: {'F' if recording.female else 'M'}"
            + (f" <diagnoses> {diagnoses}" if diagnoses else ""),
            f"# patient {recording.patient + 1}",
            f"# {', '.join(findings) or 'noise'}",
        ]
        write_record(folder, name, recording.rate, [file], comments)
        (folder / f"{name}.atr").write_bytes(
            beat_annotations(recording.beats, recording.rate, file.counts.shape[1])
        )
    (folder / "RECORDS").write_text("".join(names))
    (folder / "ANNOTATORS").write_text("atr\treference beats\n")


def beat_annotations(beats: Beats, rate: float, samples: int) -> bytes:
    """Beats in the MIT annotation format, annot(5): six bits of code, ten of time since the last."""
    marks = [(time, _NORMAL) for time in beats.qrs] + [(time, _PREMATURE) for time in beats.pvc]
    last, content = 0, b""
    for time, code in sorted(marks):
        sample = round((time + 0.04) * rate)  # the R wave, not the onset
        if not 0 < sample < samples:
            continue
        step = sample - last
        if step > 1023:
            content += struct.pack("<HHH", _SKIP << 10, step >> 16, step & 0xFFFF)
            step = 0
        content += struct.pack("<H", code << 10 | step)
        last = sample
    return content + b"\0\0"
