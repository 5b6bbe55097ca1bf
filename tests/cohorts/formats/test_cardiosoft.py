"""GE CardioSoft XML: a real file against a decoding by hand, the parts of the format, what is refused."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from cohorts.formats import cardiosoft
from cohorts.recording import STANDARD_LEADS
from tests.cohorts.conftest import ecg_counts
from tests.cohorts.formats.vendor_files import edited, recording, refused, same, write_cardiosoft


def cardiosoft_file(tmp_path, **unusual):
    return write_cardiosoft(
        tmp_path / "x.xml", recording(ecg_counts(1, 600, leads=2), ("I", "AVR")), **unusual
    )


@pytest.mark.parametrize("separator", [",", ";", " ", ", "])
def test_any_separator_stands_between_samples(separator, tmp_path):
    same(
        cardiosoft.read(cardiosoft_file(tmp_path, separator=separator)),
        recording(ecg_counts(1, 600, leads=2), ("I", "aVR")),
    )


@pytest.mark.parametrize(
    ("units", "resolution", "microvolts"),
    [
        ("uVperLsb", "5", 5),
        ("uVperLSB", "4.88", 4.88),
        ("uV/LSB", "1", 1),
        ("mV per lsb", "0.005", 5),
        ("nVperLsb", "5000", 5),
    ],
)
def test_a_resolution_has_a_unit(units, resolution, microvolts, tmp_path):
    read = cardiosoft.read(cardiosoft_file(tmp_path, units=units, strip={"Resolution": resolution}))
    np.testing.assert_allclose(read.gain, 1000 / microvolts)


@pytest.mark.parametrize(
    ("unusual", "saying"),
    [
        ({"units": "uV"}, "resolution in 'uV'"),
        ({"units": "mmHgperLsb"}, "no voltage"),
        ({"strip": {"Resolution": "0"}}, "resolution of 0"),
        ({"strip": {"Resolution": "-5"}}, "resolution of -0.005"),
        ({"strip": {"Resolution": "2,5"}}, "no readable Resolution"),
        ({"without": ["Resolution"]}, "resolution in ''"),
        ({"strip": {"SampleRate": "0"}}, "sampling rate of 0"),
        ({"strip": {"SampleRate": "NaN"}}, "no readable SampleRate"),
        ({"without": ["SampleRate"]}, "no readable SampleRate"),
        ({"strip": {"ChannelSampleCountTotal": "601"}}, "600 samples where 601 are announced"),
        ({"separator": ",,"}, "leaves out samples"),
        ({"separator": "_"}, "no number"),
    ],
)
def test_a_strip_that_cannot_be_is_refused(unusual, saying, tmp_path):
    refused(cardiosoft, cardiosoft_file(tmp_path, **unusual), saying)


def test_a_rate_in_another_unit_is_refused(tmp_path):
    path = edited(cardiosoft_file(tmp_path), ('<SampleRate units="Hz">', '<SampleRate units="ms">'))
    refused(cardiosoft, path, "sampling rate in 'ms'")


def test_a_strip_may_not_count_its_samples(tmp_path):
    read = cardiosoft.read(cardiosoft_file(tmp_path, without=["ChannelSampleCountTotal"]))
    assert read.counts.shape == (2, 600)


def test_an_exercise_test_is_refused(tmp_path):
    path = edited(
        cardiosoft_file(tmp_path),
        ("<StripData>", "<StripData><Strip>"),
        ("</StripData>", "</Strip></StripData>"),
    )
    refused(cardiosoft, path, "exercise test")


def test_full_disclosure_is_not_taken_for_the_strip(tmp_path):
    path = cardiosoft_file(tmp_path)
    disclosure = "<FullDisclosure><WaveformData lead='I'>1,2</WaveformData></FullDisclosure><StripData>"
    same(
        cardiosoft.read(edited(path, ("<StripData>", disclosure))), cardiosoft.read(cardiosoft_file(tmp_path))
    )
    path = edited(cardiosoft_file(tmp_path), ("StripData>", "FullDisclosure>"))
    refused(cardiosoft, path, "no strip")


def test_cardiosoft_agrees_with_a_decoding_by_hand_and_with_its_own_measurements(shared):
    path = shared / "data/vendor/cardiosoft/dummy_ecg.xml"
    read = cardiosoft.read(path)
    root = ET.parse(path).getroot()
    strip = root.find("StripData")
    by_hand = [np.array(lead.text.split(","), int) for lead in strip.iter("WaveformData")]
    assert read.leads == STANDARD_LEADS
    np.testing.assert_array_equal(read.counts, by_hand)
    assert read.counts.shape == (12, 5000)
    assert read.sampling_rate == 500
    first, second, third, right, left, foot = read.to_recording().signal[:6]
    # Einthoven and Goldberger in the file's own leads, to a few steps of 5 µV where they are steep.
    assert np.abs(first + third - second).max() < 0.021
    assert np.abs(right + (first + second) / 2).max() < 0.021
    assert np.abs(left - (first - third) / 2).max() < 0.021
    assert np.abs(foot - (second + third) / 2).max() < 0.021
    # The amplitudes that the electrocardiograph measured are those of the strip.
    table = root.find("RestingECGMeasurements/MeasurementTable")
    measured = [float(text or 0) / 1000 for text in re.split(r",\s*", table.findtext("RAmplitude").strip())]
    highest = read.to_recording().signal.max(axis=1)
    tall = np.array(measured) > 0.4
    assert tall.sum() == 6
    np.testing.assert_allclose(highest[tall], np.array(measured)[tall], atol=0.12)
    beats = root.findall("StripData/ArrhythmiaResults/Time")
    steep = np.abs(np.diff(read.counts[0].astype(float)))
    at = [int(float(time.text) / 2) for time in beats]
    assert min(steep[max(0, sample - 50) : sample + 50].max() for sample in at) > 25
