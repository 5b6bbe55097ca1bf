"""Leads by name, quantisation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cohorts.errors import RecordError, UnknownNameError
from cohorts.recording import (
    MISSING,
    STANDARD_LEADS,
    DigitalRecording,
    Recording,
    select_leads,
    standard_lead_name,
    standard_leads,
)

LIMB = STANDARD_LEADS[:6]


def recording(leads, samples=400, rate=500.0, seed=0):
    signal = np.random.default_rng(seed).normal(size=(len(leads), samples)).astype(np.float32)
    return Recording(signal, rate, tuple(leads))


def twelve(samples=400):
    """Twelve leads of which the limb leads follow from I and II."""
    base = recording(["I", "II", *STANDARD_LEADS[6:]], samples)
    return select_leads(base)


@pytest.mark.parametrize(
    ("name", "lead"),
    [
        ("AVR", "aVR"),
        ("aVR", "aVR"),
        ("avl", "aVL"),
        ("i", "I"),
        ("DI", "I"),
        ("diii", "III"),
        ("v1", "V1"),
        (" V6 ", "V6"),
        ("lead II", "II"),
        ("ECG_aVF", "aVF"),
        ("-aVR", None),
        ("\N{MINUS SIGN}aVR", None),
        ("DV1", None),
        ("V7", None),
        ("IIII", None),
        ("V1R", None),
        ("", None),
        ("MLII", None),
        ("aVR\0", None),
    ],
)
def test_lead_names(name, lead):
    assert standard_lead_name(name) == lead


def test_leads_are_chosen_by_name_and_not_by_position():
    whole = twelve()
    order = list(np.random.default_rng(1).permutation(12))
    shuffled = Recording(whole.signal[order], 500.0, tuple(STANDARD_LEADS[row].upper() for row in order))
    np.testing.assert_array_equal(select_leads(shuffled).signal, whole.signal)
    assert select_leads(shuffled).leads == STANDARD_LEADS
    picked = select_leads(shuffled, ["V2", "I"])
    np.testing.assert_array_equal(picked.signal, whole.signal[[7, 0]])


def test_mimic_order_of_the_augmented_leads_is_not_taken_for_the_standard_one():
    whole = twelve()
    names = ("I", "II", "III", "aVR", "aVF", "aVL", *STANDARD_LEADS[6:])
    mimic = Recording(whole.signal[[STANDARD_LEADS.index(name) for name in names]], 500.0, names)
    np.testing.assert_array_equal(select_leads(mimic).signal, whole.signal)


@pytest.mark.parametrize("first", LIMB)
@pytest.mark.parametrize("second", LIMB)
def test_any_two_limb_leads_give_the_other_four(first, second):
    whole = twelve()
    kept = [first, second, *STANDARD_LEADS[6:]] if first != second else [first, *STANDARD_LEADS[6:]]
    part = Recording(whole.signal[[STANDARD_LEADS.index(lead) for lead in kept]], 500.0, tuple(kept))
    if first == second:
        with pytest.raises(RecordError, match="cannot be derived"):
            select_leads(part)
    else:
        np.testing.assert_allclose(select_leads(part).signal, whole.signal, atol=1e-5)


def test_derived_leads_follow_einthoven_and_goldberger():
    part = recording(["I", "II"])
    one, two = part.signal.astype(float)
    derived = select_leads(part, LIMB).signal
    expected = [one, two, two - one, -(one + two) / 2, one - two / 2, two - one / 2]
    np.testing.assert_allclose(derived, expected, atol=1e-6)


def test_a_missing_precordial_lead_is_an_error_and_never_a_copy():
    with pytest.raises(RecordError, match="V3"):
        select_leads(recording([lead for lead in STANDARD_LEADS if lead != "V3"]))


def test_two_rows_of_one_name_are_an_error():
    with pytest.raises(RecordError, match="Two rows are called lead aVR"):
        select_leads(recording(["I", "II", "aVR", "AVR"]), ["I"])


def test_an_unknown_lead_is_refused():
    with pytest.raises(UnknownNameError, match="V1"):
        select_leads(twelve(), ["V11"])


def test_other_channels_are_left_out():
    extended = recording([*STANDARD_LEADS, "RESP", "-aVR"])
    np.testing.assert_array_equal(select_leads(extended).signal, extended.signal[:12])


def test_standard_leads_keeps_counts_and_derives_the_rest():
    rng = np.random.default_rng(0)
    counts = rng.integers(-3000, 3000, (8, 300)).astype(np.int16)
    names = ("V6", "v5", "V4", "V3", "V2", "V1", "II", "i")
    digital = DigitalRecording(counts, np.full(8, 1000.0), np.full(8, 3.0), 500.0, names)
    standard = standard_leads(digital)
    assert standard.leads == STANDARD_LEADS
    np.testing.assert_array_equal(standard.counts[6], counts[5])
    np.testing.assert_array_equal(standard.baseline[[0, 1, 6]], 3.0)
    derived = standard.to_recording().signal
    np.testing.assert_allclose(derived, select_leads(digital.to_recording()).signal, atol=1e-4)
    # III = II - I is a whole number of microvolts and therefore exact.
    np.testing.assert_array_equal(standard.counts[2], counts[6] - counts[7])


def test_missing_samples_become_nan_and_come_back():
    counts = np.array([[1, MISSING, 3], [4, 5, 6]], np.int16)
    digital = DigitalRecording(counts, np.array([200.0, 1000.0]), np.array([1.0, 0.0]), 500.0, ("I", "II"))
    signal = digital.to_recording().signal
    np.testing.assert_allclose(signal, [[0.0, np.nan, 0.01], [0.004, 0.005, 0.006]], rtol=1e-6)
    assert signal.dtype == np.float32
    back = DigitalRecording.from_recording(digital.to_recording())
    assert back.counts[0, 1] == MISSING
    np.testing.assert_allclose(back.to_recording().signal, signal, atol=1e-7)


def test_whole_microvolts_survive_quantisation_exactly():
    counts = np.random.default_rng(0).integers(-32767, 32768, (12, 1000)).astype(np.int16)
    digital = DigitalRecording(counts, np.full(12, 1000.0), np.zeros(12), 500.0, STANDARD_LEADS)
    back = DigitalRecording.from_recording(digital.to_recording())
    np.testing.assert_array_equal(back.counts, counts)
    np.testing.assert_array_equal(back.gain, 1000.0)


@given(scale=st.floats(1e-4, 1e4), offset=st.floats(-1e3, 1e3), gap=st.booleans(), seed=st.integers(0, 2**16))
@settings(max_examples=100, deadline=None)
def test_quantisation_error_is_below_its_bound(scale, offset, gap, seed):
    signal = (np.random.default_rng(seed).normal(size=(2, 50)) * scale + offset).astype(np.float32)
    if gap:
        signal[0, :7] = np.nan
    back = DigitalRecording.from_recording(Recording(signal, 500.0, ("I", "II"))).to_recording().signal
    spread = np.nanmax(signal, axis=1) - np.nanmin(signal, axis=1)
    bound = np.maximum(spread / 130_000, 0) + 4e-7 * np.nanmax(np.abs(signal)) + 1e-5
    np.testing.assert_array_equal(np.isnan(back), np.isnan(signal))
    assert (np.nanmax(np.abs(back - signal), axis=1) <= bound).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0, 0.12345678, 5000.0])
def test_constant_leads_can_be_quantised(value):
    signal = np.full((1, 20), value, np.float32)
    back = DigitalRecording.from_recording(Recording(signal, 500.0, ("I",))).to_recording().signal
    np.testing.assert_allclose(back, signal if np.isfinite(value) else np.nan, rtol=1e-6)


def test_shapes_must_agree():
    with pytest.raises(ValueError, match="lead names"):
        Recording(np.zeros((2, 3), np.float32), 500.0, ("I",))
    with pytest.raises(ValueError, match="lead names"):
        DigitalRecording(np.zeros((2, 3), np.int16), np.ones(1), np.zeros(2), 500.0, ("I", "II"))
