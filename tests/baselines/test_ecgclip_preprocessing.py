"""The filters do what the published ones do, and the matrix does what the filters do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy.signal import butter, iirnotch, resample_poly, sosfiltfilt, tf2sos

from baselines.ecgclip import preprocessing
from baselines.ecgclip.preprocessing import preprocess, reference
from cohorts.catalogue import find_cohort
from cohorts.formats.wfdb_files import read_record
from cohorts.recording import select_leads

CLOSE = 1e-4
LEADS = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")

Floats = npt.NDArray[np.float32]


def drawn(*shape: int) -> Floats:
    """Noise with a wandering baseline, mV."""
    rng = np.random.default_rng(5)
    return (rng.standard_normal(shape) * 0.3 + np.cumsum(rng.standard_normal(shape), -1) * 0.02).astype(
        np.float32
    )


def matrix(signals: Floats) -> Floats:
    return preprocess(torch.from_numpy(signals)).numpy()


@pytest.fixture(scope="module")
def recordings(shared: Path) -> Floats:
    """Real signals ``[records, 8, 5000]`` in mV."""
    root = shared / "data" / "ptb-xl"
    cohort = find_cohort("ptb-xl")(root)
    paths = cohort.index()["path"][::16]
    records = [select_leads(read_record(root / path).to_recording(), LEADS) for path in paths]
    assert {record.sampling_rate for record in records} == {500}
    return np.stack([record.signal for record in records])


@pytest.fixture
def golden(shared: Path) -> npt.NDArray[np.float64]:
    with np.load(
        shared / "facts" / "checkpoints" / "ecgclip_preprocess_golden_a.npz", allow_pickle=False
    ) as file:
        output: npt.NDArray[np.float64] = file["output"]
    return output


def golden_error(golden: npt.NDArray[np.float64]) -> float:
    """How far the filters are from the published ones, on the counts that these were run on."""
    counts = np.round(np.cumsum(np.random.default_rng(11).standard_normal((8, 5000)), axis=1) * 20)
    found = reference(counts.astype(np.int16) * 0.00244)
    return float(np.abs(found - golden).max() / np.abs(golden).max())


def test_the_filters_are_the_published_ones(golden: npt.NDArray[np.float64]) -> None:
    assert golden_error(golden) <= 1e-6


@pytest.mark.parametrize(
    ("name", "value"), [("BAND", (0.5, 101)), ("QUALITY", 31), ("NOTCHES", (50, 100, 150, 200))]
)
def test_a_change_of_the_filters_would_be_noticed(
    golden: npt.NDArray[np.float64], monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    monkeypatch.setattr(preprocessing, name, value)
    assert golden_error(golden) > 1e-6


def test_away_from_the_borders_it_is_the_textbook_filter() -> None:
    x = drawn(3, 5000).astype(np.float64)
    x *= np.clip(np.abs(np.arange(5000) - 2500) / -250 + 4, 0, 1)  # nothing in the outer three seconds
    y = sosfiltfilt(butter(3, [0.5, 100], btype="bandpass", fs=500, output="sos"), x)
    for frequency in (50, 100, 150, 200):  # the one at 250 Hz has little to remove in this band
        y = sosfiltfilt(tf2sos(*iirnotch(frequency, 30, fs=500)), y)
    expected = resample_poly(y, 4, 5, axis=-1)
    assert np.abs(reference(x)[:, 48:-48] - expected).max() < 1e-2 * np.abs(expected).max()


def test_the_matrix_agrees_on_real_recordings(recordings: Floats) -> None:
    expected = reference(recordings)
    errors = np.abs(matrix(recordings) - expected)
    assert errors.max() <= CLOSE
    assert (errors.max(axis=-1) <= CLOSE * np.abs(expected).max(axis=-1)).all()  # lead by lead


@pytest.mark.parametrize("offset", [-3.0, 20.0, 300.0])
def test_a_constant_offset_costs_no_accuracy(offset: float) -> None:
    x = drawn(2, 8, 5000) + np.float32(offset)
    expected = reference(x)
    # Far from the borders the offset is gone; at the borders Gustafsson's method leaves about half of it.
    assert np.abs(expected[..., 2000:2100]).max() < 5
    assert np.abs(matrix(x) - expected).max() <= CLOSE


def test_flat_leads_stay_flat_and_finite() -> None:
    x = drawn(2, 8, 5000)
    x[0, 3] = 0
    x[1] = 0
    found = matrix(x)
    assert np.isfinite(found).all()
    assert not found[0, 3].any()
    assert not found[1].any()
    assert found[0, 2].any()


def test_a_step_and_a_full_scale_square_wave() -> None:
    x = np.zeros((2, 5000), np.float32)
    x[0, 2500:] = 5
    x[1] = np.where(np.arange(5000) // 250 % 2, 32.767, -32.768)
    expected = reference(x)
    error = np.abs(matrix(x) - expected).max(axis=-1)
    assert (error <= CLOSE * np.abs(expected).max(axis=-1)).all()


def test_the_band_and_the_mains_hum() -> None:
    time = np.arange(5000) / 500
    amplitude = {}
    for frequency in (0.05, 10, 50, 100, 180):
        y = matrix(np.sin(2 * np.pi * frequency * time).astype(np.float32)[None])[0, 1500:2500]
        amplitude[frequency] = float(np.abs(y).max())
    assert amplitude[10] == pytest.approx(1, abs=0.01)
    assert max(amplitude[0.05], amplitude[50], amplitude[100], amplitude[180]) < 0.01


def test_what_is_added_at_the_ends_is_zero() -> None:
    found = matrix(drawn(1, 2, 5000) + 5)
    assert found.shape == (1, 2, 4096)
    assert not found[..., :48].any()
    assert not found[..., -48:].any()
    assert found[..., 48].all()
    assert found[..., -49].all()


def test_neither_batch_nor_neighbours_matter() -> None:
    x = drawn(6, 8, 5000)
    together = matrix(x)
    np.testing.assert_allclose(np.concatenate([matrix(one[None]) for one in x]), together, atol=1e-6)
    broken = x.copy()
    broken[2, 1] = np.nan
    found = matrix(broken)
    assert np.isnan(found[2, 1]).any()
    found[2, 1] = together[2, 1]
    np.testing.assert_allclose(found, together, atol=1e-6)


def test_half_precision_around_it_changes_nothing() -> None:
    x = torch.from_numpy(drawn(2, 8, 5000))
    plain = preprocess(x)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = preprocess(x)
    assert inside.dtype == torch.float32
    torch.testing.assert_close(inside, plain, rtol=0, atol=0)


def test_a_prediction_before_it_does_not_disturb_a_training() -> None:
    with torch.inference_mode():
        preprocessing._matrix_on.cache_clear()
        preprocess(torch.zeros(1, 5000))
    x = torch.from_numpy(drawn(1, 2, 5000)).requires_grad_()
    preprocess(x).square().sum().backward()
    assert x.grad is not None
    assert x.grad.abs().sum() > 0


@pytest.mark.parametrize("samples", [0, 1000, 4999, 5001])
def test_another_length_is_refused(samples: int) -> None:
    with pytest.raises(ValueError, match="5000 samples at 500 Hz"):
        preprocess(torch.zeros(2, samples))
    with pytest.raises(ValueError, match="5000 samples at 500 Hz"):
        reference(np.zeros((2, samples)))


@pytest.mark.parametrize("shrink", [2, 4, 16])
def test_shrinking_is_the_mean_of_what_is_not_shrunk(shrink: int) -> None:
    signals = torch.from_numpy(np.random.default_rng(0).normal(0, 1, (3, 8, 5000)).astype(np.float32)) + 2
    whole = preprocess(signals).unflatten(-1, (-1, shrink)).mean(dim=-1)
    torch.testing.assert_close(preprocess(signals, shrink), whole, rtol=1e-4, atol=1e-5)


def test_only_what_leaves_the_padding_whole_can_be_shrunk_to() -> None:
    with pytest.raises(ValueError, match="does not divide 16"):
        preprocess(torch.zeros(1, 8, 5000), 3)
