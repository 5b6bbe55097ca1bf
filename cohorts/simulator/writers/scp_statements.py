"""The SCP-ECG statements that the simulator uses, as PTB-XL classifies them in scp_statements.csv."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple


class ScpStatement(NamedTuple):
    """One statement: its kinds (diagnostic, form, rhythm), superclass, subclass and meaning."""

    kinds: tuple[str, ...]
    superclass: str
    subclass: str
    description: str


_KINDS = {"d": "diagnostic", "f": "form", "r": "rhythm"}

# code, kinds, superclass, subclass ("-" for none), description
_TABLE = """
NORM d NORM NORM normal ECG
IMI d MI IMI inferior myocardial infarction
ILMI d MI IMI inferolateral myocardial infarction
ASMI d MI AMI anteroseptal myocardial infarction
AMI d MI AMI anterior myocardial infarction
ALMI d MI AMI anterolateral myocardial infarction
LMI d MI LMI lateral myocardial infarction
INJIN d MI IMI subendocardial injury, inferior leads
INJAS d MI AMI subendocardial injury, anteroseptal leads
INJAL d MI AMI subendocardial injury, anterolateral leads
INJLA d MI AMI subendocardial injury, lateral leads
LVH d HYP LVH left ventricular hypertrophy
RVH d HYP RVH right ventricular hypertrophy
LAO/LAE d HYP LAO/LAE left atrial overload or enlargement
RAO/RAE d HYP RAO/RAE right atrial overload or enlargement
LAFB d CD LAFB/LPFB left anterior fascicular block
LPFB d CD LAFB/LPFB left posterior fascicular block
IRBBB d CD IRBBB incomplete right bundle branch block
ILBBB d CD ILBBB incomplete left bundle branch block
CRBBB d CD CRBBB complete right bundle branch block
CLBBB d CD CLBBB complete left bundle branch block
IVCD d CD IVCD intraventricular conduction disturbance
WPW d CD WPW Wolff-Parkinson-White
1AVB d CD _AVB first degree AV block
2AVB d CD _AVB second degree AV block
3AVB d CD _AVB third degree AV block
NDT df STTC STTC non-diagnostic T abnormalities
NST_ df STTC NST_ non-specific ST changes
LNGQT df STTC STTC long QT interval
ISC_ d STTC ISC_ non-specific ischaemic
ISCAL d STTC ISCA ischaemic, anterolateral leads
ABQRS f - - abnormal QRS
PVC f - - ventricular premature complex
PAC f - - atrial premature complex
PRC(S) f - - premature complexes
STD_ f - - non-specific ST depression
STE_ f - - non-specific ST elevation
VCLVH f - - voltage criteria for left ventricular hypertrophy
HVOLT f - - high QRS voltage
LVOLT f - - low QRS voltages
QWAVE f - - Q waves present
LOWT f - - low T waves
NT_ f - - non-specific T wave changes
INVT f - - inverted T waves
LPR f - - prolonged PR interval
SR r - - sinus rhythm
SBRAD r - - sinus bradycardia
STACH r - - sinus tachycardia
SARRH r - - sinus arrhythmia
AFIB r - - atrial fibrillation
AFLT r - - atrial flutter
SVTAC r - - supraventricular tachycardia
PSVT r - - paroxysmal supraventricular tachycardia
PACE r - - pacemaker
BIGU r - - bigeminal pattern
"""


_HEADER = (
    "",
    "description",
    *_KINDS.values(),
    "diagnostic_class",
    "diagnostic_subclass",
    "Statement Category",
    "SCP-ECG Statement Description",
    "AHA code",
    "aECG REFID",
    "CDISC Code",
    "DICOM Code",
)


def _parse() -> dict[str, ScpStatement]:
    statements = {}
    for line in _TABLE.strip().splitlines():
        code, kinds, superclass, subclass, description = line.split(maxsplit=4)
        statements[code] = ScpStatement(
            tuple(_KINDS[kind] for kind in kinds),
            superclass.replace("-", ""),
            subclass.replace("-", ""),
            description,
        )
    return statements


SCP_STATEMENTS = _parse()


def write_scp_statements(path: Path) -> None:
    """Write the table beside PTB-XL's; columns that nobody reads are left empty."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(_HEADER)
        for code, statement in SCP_STATEMENTS.items():
            flags = ["1.0" if kind in statement.kinds else "" for kind in _KINDS.values()]
            classes = [statement.superclass, statement.subclass]
            table.writerow(
                [code, statement.description, *flags, *classes, "", statement.description, *[""] * 4]
            )
