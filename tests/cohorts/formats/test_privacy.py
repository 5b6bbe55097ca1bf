"""Nothing that a file says of a person, a place or a day leaves the reader: not to a store, a page or a log.

What identifies is collected here by walking through the files with other code than the readers'.
"""

from __future__ import annotations

import dataclasses
import logging
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pydicom
import pytest

from benchmark.report.ecg_sheet import sheet
from cohorts.catalogue import find_cohort
from cohorts.cohort import Cohort, IndexRow
from cohorts.errors import RecordError
from cohorts.formats.any_file import read_file
from cohorts.preparing import prepare
from cohorts.recording import DigitalRecording
from tests.cohorts.formats.every_format import write_every_format
from tests.cohorts.formats.vendor_files import PERSON

# Names of elements and attributes, also of those around them, that may hold what identifies somebody.
IDENTIFYING = re.compile(
    r"patient|person|name|subject|demograph|birth|age$|date|time$|(^|[a-z])id$|uid|^root$|extension|hospital|"
    r"institution|facility|department|site|location|room|bed|physician|doctor|provider|operator|technician|"
    r"investigator|editor|comment|history|reason|diagnos|statement|interpretation|order|encounter|admission|"
    r"visit|address|street|city|phone|serial|machine|userdefine|custom|filename|author|attend|referr|acquirer",
    re.IGNORECASE,
)
# What describes the samples, where it happens to lie below such a name or to be called like one.
DESCRIBES = re.compile(
    r"lead|wave|sample|resolution|channel|sequence|increment|unit|scale|origin", re.IGNORECASE
)

# Short numbers, what was crossed out, and words of every program.
NOBODY = re.compile(r"[\d.:-]{1,5}|(.)\1+|true|false|none", re.IGNORECASE)


def identifying(path: Path) -> set[str]:
    """Strings of a file that may identify somebody, longer than 3 characters, no short numbers among them."""
    found = _of_dicom(path) if path.read_bytes()[128:132] == b"DICM" else _of_xml(path)
    return {text for text in found if len(text) > 3 and not NOBODY.fullmatch(text)}


def _of_xml(path: Path) -> Iterator[str]:
    def walk(element: ElementTree.Element, inside: bool) -> Iterator[str]:
        tag = element.tag.rpartition("}")[2]
        inside = (inside or bool(IDENTIFYING.search(tag))) and not DESCRIBES.search(tag)
        if inside:
            yield (element.text or "").strip()
        for key, value in element.attrib.items():
            name = key.rpartition("}")[2]
            if (inside or IDENTIFYING.search(name)) and not DESCRIBES.search(tag):
                yield value.strip()
        for child in element:
            yield from walk(child, inside)

    root = ElementTree.parse(path).getroot()
    for child in root:
        yield from walk(child, False)


# Standard identifiers of DICOM itself, and what an ECG is called there.
_COMMON = {"1.2.840.10008.5.1.4.1.1.9.1.1", "ISO_IR 100", "RHYTHM", "ORIGINAL"}


def _of_dicom(path: Path) -> Iterator[str]:
    for element in pydicom.dcmread(path):
        if element.VR in ("SQ", "OB", "OW", "UN") or element.keyword in ("SOPClassUID", "Modality"):
            continue
        values = element.value if isinstance(element.value, pydicom.multival.MultiValue) else [element.value]
        for value in values:
            yield from (part for part in str(value).split("^") if part not in _COMMON)
            yield str(value)


class Hospital(Cohort):
    """Files of devices under numbers."""

    card = find_cohort("georgia").card

    def _read_index(self) -> Iterator[IndexRow]:
        for path in sorted(self.root.glob("r*")):
            yield IndexRow(path.name, path.name, ("426783006",))

    def _read_signal(self, path: Path) -> DigitalRecording:
        return read_file(path)


def everything_made_of(folder: Path, cache: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of all that is made of the files of a folder."""
    store = prepare(Hospital(folder), cache)
    assert not len(store.quarantine)
    assert len(store) == len(list(folder.glob("r*")))
    for path in sorted(cache.rglob("*")):
        if path.is_file():
            yield path.name, path.read_bytes()
    for position, record_id in enumerate(store.index["record_id"]):
        found = read_file(folder / record_id)
        yield "record", repr(dataclasses.asdict(found) | {"counts": None}).encode()
        yield "picture", sheet(store.recording(position), str(record_id)).svg.encode()
    yield "index", store.index.to_csv().encode()
    store.close()


def check(
    secrets: set[str], folder: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        made = list(everything_made_of(folder, folder.parent / "cache"))
        whole = {path: path.read_bytes() for path in folder.glob("r*")}
        for path, content in whole.items():  # what is said of a damaged file
            for length in range(len(content) // 4, len(content), len(content) // 4):
                path.write_bytes(content[:length])
                try:
                    read_file(path)
                except RecordError as error:
                    made.append(("error", str(error).encode()))
    said = capfd.readouterr()
    # Fonts of this machine ("... Sans Narrow") are told when a process first draws, whatever it draws.
    logged = "".join(str(one.__dict__) for one in caplog.records if one.name != "matplotlib.font_manager")
    made += [("output", said.out.encode()), ("errors", said.err.encode()), ("log", logged.encode())]
    leaks = {
        (name, secret)
        for name, content in made
        for secret in secrets
        for needle in {secret.encode(encoding, "replace") for encoding in ("utf-8", "utf-16-le", "latin-1")}
        if needle in content
    }
    assert not leaks


def test_nothing_of_a_person_in_files_of_devices(
    shared: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    folder, secrets = tmp_path / "hospital", set()
    folder.mkdir()
    files = [path for path in sorted((shared / "data/vendor").rglob("*")) if path.is_file()]
    assert len(files) == 8
    for number, path in enumerate(files):
        shutil.copyfile(path, folder / f"r{number}")
        here = identifying(path)
        assert len(here) >= 2, path.name
        secrets |= here
    assert len(secrets) > 100
    check(secrets, folder, caplog, capfd)


def test_nothing_of_a_person_who_was_put_into_every_format(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "hospital"
    (tmp_path / "made").mkdir()
    folder.mkdir()
    secrets = {*PERSON.split(), PERSON.encode("ascii", "replace").decode().split()[0]}
    for number, path in enumerate(write_every_format(tmp_path / "made").values()):
        content = path.read_bytes()
        if path.name != "deflated.dcm":
            assert any(s.encode(e, "replace") in content for s in secrets for e in ("utf-8", "utf-16-le"))
        shutil.copyfile(path, folder / f"r{number}")
    check(secrets, folder, caplog, capfd)
