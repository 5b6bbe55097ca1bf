"""Philips XML against what was written, and against sierraecg as a whole."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sierraecg

from cohorts.errors import RecordError
from cohorts.formats.any_file import detect, read_file
from cohorts.recording import STANDARD_LEADS
from tests.cohorts.formats.binary_files import counted, write_philips

# Where the recording ends before the pulse of 0.4 s; the first is filled up with zeros.
FILES = {"129DYPRG.XML": 5264, "2020-5-18_1-04-01.xml": 5300, "ad4d3d80-d165_1-04.xml": 5300}


def theirs(path: Path) -> tuple[tuple[str, ...], Any]:
    leads = sierraecg.read_file(str(path)).leads
    return tuple(lead.label for lead in leads), np.stack([lead.samples for lead in leads])


@pytest.mark.parametrize("name", FILES)
def test_a_recording_of_a_device_is_what_sierraecg_reads_without_the_pulse(shared: Path, name: str) -> None:
    path = shared / "data/vendor/philips" / name
    labels, expected = theirs(path)
    found = read_file(path)
    assert found.leads == labels == STANDARD_LEADS
    assert found.sampling_rate == 500
    assert (found.gain == 200).all()
    assert not found.baseline.any()
    end = found.counts.shape[1]
    assert end == FILES[name]
    assert np.array_equal(found.counts, expected[:, :end])
    assert (expected[:, end:5300] == 0).all()
    assert (expected[:, 5300:] == np.repeat([0, 200, 200, 0], 50)).all()  # 1 mV for 0.2 s, in every lead
    one, two, three, right, left, foot = found.counts[:6].astype(float)
    assert np.abs(two - one - three).max() <= 2
    assert np.abs(right + (one + two) / 2).max() <= 1.5
    assert np.abs(left - (one - three) / 2).max() <= 1.5
    assert np.abs(foot - (two + three) / 2).max() <= 1.5


@pytest.mark.parametrize("version", ["1.03", "1.04", "1.04.01", "1.04.02"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_counts_are_those_that_were_written(tmp_path: Path, version: str, encoding: str) -> None:
    path = tmp_path / "a.xml"
    sent = dataclasses.replace(counted(samples=600), gain=np.full(12, 400.0))
    write_philips(path, sent, "Doe", version=version, encoding=encoding)
    assert detect(path) == "philips"
    found = read_file(path)
    assert found.leads == STANDARD_LEADS
    assert np.array_equal(found.counts, sent.counts)
    assert (found.gain == 400).all()
    assert np.array_equal(theirs(path)[1][:, :600], sent.counts)


def test_only_a_pulse_is_cut_off(tmp_path: Path) -> None:
    path, sent = tmp_path / "a.xml", counted(samples=600)
    write_philips(path, sent, pulse=False)
    assert np.array_equal(read_file(path).counts, sent.counts)
    sent.counts[:, -200:] = np.repeat([0, 200, 200, 0], 50)
    sent.counts[5, -1] = 1
    write_philips(path, sent, pulse=False)
    assert np.array_equal(read_file(path).counts, sent.counts)
    sent.counts[:, -50:] = 0  # zeros that fill up to a pulse go with it
    write_philips(path, sent)
    assert np.array_equal(read_file(path).counts, sent.counts[:, :-50])
    sent.counts[:] = 0
    write_philips(path, sent)
    with pytest.raises(RecordError, match="a calibration pulse and nothing else"):
        read_file(path)


FAULTS = {
    "version": ({"1.04<": "2.00<"}, "of version '2.00'"),
    "compression": ({'compression="XLI"': 'compression="none"'}, "XLI in Base64"),
    "encoding": ({'"Base64"': '"Plain"'}, "XLI in Base64"),
    "waveforms": ({"parsedwaveforms": "otherwaveforms"}, "holds no waveforms"),
    "rate": ({"samplingrate>500<": "samplingrate>fast<"}, "sampling rate as 'fast'"),
    "duration": ({'channel="2000"': 'channel="-1"'}, "duration as '-1'"),
    "more": ({'channel="2000"': 'channel="2002"'}, "does not decompress to its announced length"),
    "less": ({'channel="2000"': 'channel="1998"'}, "does not decompress to its announced length"),
    "endless": ({'channel="2000"': 'channel="1e9"'}, "announces 12 leads of 500,000,000 samples"),
    "resolution": ({"<resolution>5<": "<resolution>0<"}, "resolution as '0'"),
    "offset": ({"signaloffset>0": "signaloffset>2048"}, "with an offset"),
    "bits": ({'bitspersample="16"': 'bitspersample="12"'}, "another width"),
    "order": ({'"I II III': '"II I III'}, "in the order of the twelve"),
    "too few": ({'numberofleads="12"': 'numberofleads="5"'}, "in the order of the twelve"),
    "too many": ({'numberofleads="12"': 'numberofleads="13"'}, "in the order of the twelve"),
    "base64": ({'persample="16">': 'persample="16">!'}, "no Base64"),
    "cut off": ({"</parsedwaveforms>": "</parsed>"}, "not well-formed"),
    "entity": ({"<restingecgdata ": '<!DOCTYPE x [<!ENTITY a "b">]><restingecgdata '}, "entities"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_does_not_go_together_is_one_sentence(tmp_path: Path, fault: str) -> None:
    changes, why = FAULTS[fault]
    path = tmp_path / "a.xml"
    write_philips(path, counted(samples=800), edit=changes)
    with pytest.raises(RecordError, match=why) as caught:
        read_file(path, "philips")
    assert "a.xml" in str(caught.value)


@pytest.mark.parametrize("size", [-8, 0, 2**31 - 1])
def test_a_length_that_leads_in_a_circle_or_nowhere_ends(tmp_path: Path, size: int) -> None:
    """sierraecg's own reader never ends with the first."""
    import base64

    path = tmp_path / "a.xml"
    data = base64.b64encode(size.to_bytes(4, "little", signed=True) + bytes(40)).decode()
    write_philips(path, counted(samples=800), edit={})
    text = path.read_text("utf-16")
    start, end = (
        text.index('bitspersample="16">') + len('bitspersample="16">'),
        text.index("</parsedwaveforms>"),
    )
    path.write_text(text[:start] + data + text[end:], "utf-16")
    with pytest.raises(RecordError, match="end in the middle of a lead"):
        read_file(path)


def test_samples_that_leave_16_bits_are_damage(tmp_path: Path) -> None:
    path, sent = tmp_path / "a.xml", counted(samples=100)
    sent.counts[0], sent.counts[1] = 30_000, -30_000
    write_philips(path, sent)  # lead III wraps, as it would in a device
    with pytest.raises(RecordError, match=r"leave 16 bits|decompress"):
        read_file(path)
