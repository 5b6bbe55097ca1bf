"""The same recording in every format of one file, for tests that must hold for all of them."""

from __future__ import annotations

from pathlib import Path

import pyedflib
from pydicom.uid import DeflatedExplicitVRLittleEndian

from cohorts.recording import DigitalRecording
from tests.cohorts.formats.binary_files import counted, write_dicom, write_edf, write_philips
from tests.cohorts.formats.vendor_files import PERSON, write_cardiosoft, write_hl7_aecg, write_muse

FORMAT_OF = {"deflated dicom": "dicom", "bdf": "edf"}
"""Format of a kind of file where it has another name."""


def write_every_format(folder: Path, recording: DigitalRecording | None = None) -> dict[str, Path]:
    """Write a recording of an invented person; name of the kind -> file."""
    sent = counted(samples=500) if recording is None else recording
    person = {"PatientName": PERSON, "PatientComments": PERSON, "SpecificCharacterSet": "ISO_IR 192"}
    plain = PERSON.encode("ascii", "replace").decode().replace(" ", "_")
    files = {
        "muse": folder / "muse.xml",
        "hl7-aecg": folder / "hl7.xml",
        "cardiosoft": folder / "cardiosoft.xml",
        "philips": folder / "philips.xml",
        "dicom": folder / "plain.dcm",
        "deflated dicom": folder / "deflated.dcm",
        "edf": folder / "plain.edf",
        "bdf": folder / "plain.bdf",
    }
    write_muse(files["muse"], sent)
    write_hl7_aecg(files["hl7-aecg"], sent)
    write_cardiosoft(files["cardiosoft"], sent)
    write_philips(files["philips"], sent, PERSON)
    write_dicom(files["dicom"], sent, person)
    write_dicom(files["deflated dicom"], sent, person, syntax=DeflatedExplicitVRLittleEndian)
    write_edf(files["edf"], sent, {"PatientName": plain}, annotation=plain)
    write_edf(files["bdf"], sent, {"PatientName": plain}, kind=pyedflib.FILETYPE_BDFPLUS)
    return files
