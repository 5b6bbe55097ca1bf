"""A file's format is found out from its content, and what is none is refused without a guess."""

from __future__ import annotations

import os
import resource
import shutil
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from cohorts.errors import RecordError, UnknownNameError, UsageError
from cohorts.formats import any_file
from cohorts.formats.any_file import FORMATS, HEAD_BYTES, detect, read_file
from cohorts.recording import STANDARD_LEADS, DigitalRecording, standard_leads
from tests.cohorts.formats.binary_files import counted
from tests.cohorts.formats.every_format import FORMAT_OF, write_every_format
from tests.releases import make_signal, write_record

VENDOR = {
    "muse/example1.xml": "muse",
    "muse/example2.xml": "muse",
    "hl7-aecg/example.xml": "hl7-aecg",
    "cardiosoft/dummy_ecg.xml": "cardiosoft",
    "dicom/anonymous_ecg.dcm": "dicom",
    "philips/129DYPRG.XML": "philips",
    "philips/2020-5-18_1-04-01.xml": "philips",
    "philips/ad4d3d80-d165_1-04.xml": "philips",
}


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    return write_every_format(tmp_path)


@pytest.mark.parametrize("name", VENDOR)
def test_files_of_devices(shared: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / "noname"
    shutil.copyfile(shared / "data/vendor" / name, path)
    assert detect(path) == VENDOR[name]
    found = standard_leads(read_file(path))
    assert found.leads == STANDARD_LEADS
    assert 9 < found.counts.shape[1] / found.sampling_rate < 12
    # A heart's complexes in every file: between half a millivolt and a few in most leads.
    spans = np.ptp(found.to_recording().signal, axis=1)
    assert 0.4 < np.median(spans) < 4


def test_one_recording_is_the_same_in_every_format(files: dict[str, Path]) -> None:
    sent = counted(samples=500).to_recording()
    for name, path in files.items():
        found = read_file(path)
        assert detect(path) == FORMAT_OF.get(name, name)
        assert read_file(path, FORMAT_OF.get(name, name)).leads == found.leads == STANDARD_LEADS
        assert found.sampling_rate == 500
        np.testing.assert_allclose(found.to_recording().signal, sent.signal, rtol=1e-5, atol=1e-6)


def test_a_wfdb_header(tmp_path: Path) -> None:
    counts = make_signal(0, 500, 1.0)
    write_record(tmp_path, "a", counts, 500)
    assert detect(tmp_path / "a.hea") == "wfdb"
    assert np.array_equal(read_file(tmp_path / "a.hea").counts, counts)
    with pytest.raises(RecordError, match="none of the files"):
        read_file(next(path for path in tmp_path.iterdir() if path.suffix != ".hea"))


@pytest.mark.parametrize(
    ("head", "is_header"),
    [
        (b"a 1 500 10\na.dat 16 200\n", True), (b"# hello\r\n\r\na 1\r\na.dat 212\r\n", True),
        (b"\xef\xbb\xbfa/2 1 500 10\nb 5\nc 5\n", True), (b"a 1 500 10\n", False), (b"a 1 500 10", False),
        (b"name,age\nann,5\n", False), (b"hello world\nagain\n", False), (b"<a 1\nb 2>\n", False),
        (b"a 1 500\na.dat 16\0\n", False), (b"", False),
    ],
)  # fmt: skip
def test_what_a_wfdb_header_looks_like(tmp_path: Path, head: bytes, is_header: bool) -> None:
    (tmp_path / "x").write_bytes(head)
    if is_header:
        assert detect(tmp_path / "x") == "wfdb"
    else:
        with pytest.raises(RecordError):
            detect(tmp_path / "x")


@pytest.mark.parametrize(
    "content",
    [
        b"PK\3\4", b"\x89HDF\r\n\x1a\n", b"\x93NUMPY\1\0", b"%PDF-1.7\n", b"record_id,AF\n1,0\n",
        b"<?xml version='1.0'?><svg/>", b"<html>", b"\0" * 5000, b"\xff" * 5000, b"0", b"0       ",
        b"\xffBIOSEMI",
        b"<!-- <RestingECG> --><other/>", bytes(128) + b"DICN", b"\x02\0\0\0",
    ],
)  # fmt: skip
def test_other_files_are_none_of_them(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.xml").write_bytes(content)
    with pytest.raises(RecordError, match=r"'x\.xml' is none of the files that are read: wfdb, muse, "):
        detect(tmp_path / "x.xml")


def test_a_format_that_is_named_is_believed_and_then_refused(files: dict[str, Path]) -> None:
    for name in FORMATS:
        for kind, path in files.items():
            if FORMAT_OF.get(kind, kind) != name:
                with pytest.raises(RecordError) as caught:
                    read_file(path, name)
                assert str(caught.value).isprintable()


def test_a_wrong_name_of_a_format(files: dict[str, Path]) -> None:
    with pytest.raises(UnknownNameError, match=r"file format 'dicon'. Did you mean 'dicom'\?"):
        read_file(files["dicom"], "dicon")


@pytest.mark.parametrize(
    ("name", "library"),
    [("dicom", "pydicom"), ("edf", "pyedflib"), ("philips", "sierraecg"), ("muse", "defusedxml")],
)
def test_a_library_that_is_not_installed(
    files: dict[str, Path], monkeypatch: pytest.MonkeyPatch, name: str, library: str
) -> None:
    for module in [module for module in sys.modules if module.split(".")[0] == library]:
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setitem(sys.modules, library, None)
    assert detect(files[name]) == name
    with pytest.raises(UsageError, match=rf"{library}.*pip install 'leadboard\[formats\]'"):
        read_file(files[name])


@pytest.mark.parametrize("name", ["auto", *FORMATS])
def test_what_is_no_file_is_told_and_nobody_waits(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "sparse").touch()
    os.truncate(tmp_path / "sparse", 2**32)
    before, begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    for what in ("pipe", "empty", "folder", "nothing", "sparse", "with\nbreak"):
        with pytest.raises(RecordError) as caught:
            read_file(tmp_path / what, name)
        assert str(caught.value).isprintable()
    assert time.monotonic() - begun < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # in KiB


@pytest.mark.parametrize("name", ["muse", "hl7-aecg", "cardiosoft", "philips", "dicom", "edf"])
def test_a_recording_and_four_gigabytes_of_nothing(files: dict[str, Path], name: str) -> None:
    os.truncate(files[name], 2**32)
    before, begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    with pytest.raises(RecordError):
        read_file(files[name])
    assert time.monotonic() - begun < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"sampling_rate": 0.5}, "sampling rate as 0.5 Hz"),
        ({"sampling_rate": float("nan")}, "sampling rate as nan Hz"),
        ({"gain": np.zeros(12)}, "no recorder has"),
        ({"gain": np.full(12, np.nan)}, "no recorder has"),
        ({"baseline": np.full(12, np.inf)}, "no recorder has"),
        ({"counts": np.zeros((12, 0), np.int16)}, "12 leads of 0 samples"),
        ({"leads": ("I", "lead I", *STANDARD_LEADS[2:])}, "holds lead I twice"),
    ],
)
def test_what_no_recorder_writes_is_refused_whatever_the_format(
    files: dict[str, Path], monkeypatch: pytest.MonkeyPatch, change: dict[str, object], why: str
) -> None:
    good = read_file(files["dicom"])
    fields = {name: getattr(good, name) for name in ("counts", "gain", "baseline", "sampling_rate", "leads")}
    bad = DigitalRecording(**(fields | change))

    class Odd:
        def read(self, path: Path) -> DigitalRecording:
            return bad

        def recognised(self, head: bytes) -> bool:
            return len(head) <= HEAD_BYTES

    monkeypatch.setattr(any_file, "_reader", lambda name: Odd())
    with pytest.raises(RecordError, match=why):
        read_file(files["dicom"], "dicom")


def test_nothing_that_an_error_says_is_of_the_person(files: dict[str, Path]) -> None:
    from tests.cohorts.formats.vendor_files import PERSON

    words = PERSON.split()
    said = []
    for path in files.values():
        whole = path.read_bytes()
        for length in range(0, len(whole), len(whole) // 60):
            path.write_bytes(whole[:length])
            try:
                read_file(path)
            except RecordError as error:
                said.append(str(error))
    assert len(said) > 300
    assert not [sentence for sentence in said if any(word in sentence for word in words)]
