"""The MiniRocket transform against another implementation and against its definition."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from baselines.minirocket.transform import (
    GOLDEN_RATIO,
    WEIGHTS,
    Kernels,
    choose_dilations,
    fit_kernels,
    transform,
)

GOLDEN = Path(__file__).parent / "fixtures" / "minirocket_aeon_1.6.0.npz"


@pytest.fixture(scope="module")
def golden() -> dict[str, npt.NDArray[np.float32]]:
    with np.load(GOLDEN, allow_pickle=False) as file:
        return dict(file)


@pytest.fixture(scope="module")
def kernels(golden: dict[str, npt.NDArray[np.float32]]) -> Kernels:
    return Kernels(
        golden["dilations"],
        golden["features_per_pair"],
        golden["lead_counts"],
        golden["leads"].astype(np.int32),
        golden["biases"],
    )


def convolution(signal: npt.NDArray[np.float32], dilation: int, kernel: int) -> npt.NDArray[np.float64]:
    """One dilated kernel on one series, from its definition."""
    spread = np.zeros(8 * dilation + 1)
    spread[::dilation] = WEIGHTS[kernel]
    return np.correlate(np.pad(signal.astype(np.float64), 4 * dilation), spread, mode="valid")


def test_there_are_84_kernels_that_ignore_the_baseline() -> None:
    assert WEIGHTS.shape == (84, 9)
    assert len(np.unique(WEIGHTS, axis=0)) == 84
    assert (WEIGHTS.sum(axis=1) == 0).all()


def test_features_agree_with_aeon(golden: dict[str, npt.NDArray[np.float32]], kernels: Kernels) -> None:
    np.testing.assert_allclose(transform(golden["signals"], kernels), golden["features"], rtol=0, atol=1e-6)


def test_the_golden_file_notices_a_wrong_padding(
    golden: dict[str, npt.NDArray[np.float32]], kernels: Kernels
) -> None:
    wrong = replace(kernels, dilations=kernels.dilations[::-1].copy())
    assert np.abs(transform(golden["signals"], wrong) - golden["features"]).max() > 0.1


def test_dilations_and_features_agree_with_aeon(golden: dict[str, npt.NDArray[np.float32]]) -> None:
    dilations, features = choose_dilations(160, 840)
    np.testing.assert_array_equal(dilations, golden["dilations"])
    np.testing.assert_array_equal(features, golden["features_per_pair"])


def test_biases_are_the_quantiles_that_aeon_takes(
    golden: dict[str, npt.NDArray[np.float32]], kernels: Kernels
) -> None:
    """With one example to choose from, biases follow from the leads; aeon works in float32."""
    expected = []
    leads = np.split(kernels.leads, np.cumsum(kernels.lead_counts)[:-1])
    for pair, chosen in enumerate(leads):
        dilation, kernel = divmod(pair, 84)
        series = golden["example"][chosen].sum(axis=0, dtype=np.float64)
        first = len(expected) + 1
        numbers = np.arange(first, first + kernels.features[dilation])
        convolved = convolution(series, int(kernels.dilations[dilation]), kernel)
        expected.extend(np.quantile(convolved, numbers * GOLDEN_RATIO % 1))
    np.testing.assert_allclose(golden["biases"], expected, rtol=0, atol=1e-5)


def test_our_biases_are_quantiles_of_an_example() -> None:
    rng = np.random.default_rng(1)
    examples = rng.standard_normal((1, 1, 60)).astype(np.float32)
    ours = fit_kernels(examples, rng, features=336)
    feature = 0
    for pair in range(84 * len(ours.dilations)):
        dilation, kernel = divmod(pair, 84)
        convolved = convolution(examples[0, 0], int(ours.dilations[dilation]), kernel)
        numbers = np.arange(feature + 1, feature + 1 + ours.features[dilation])
        expected = np.quantile(convolved, numbers * GOLDEN_RATIO % 1)
        np.testing.assert_allclose(ours.biases[feature : feature + len(numbers)], expected, atol=1e-5)
        feature += len(numbers)
    assert feature == len(ours.biases) == 336


def test_features_are_proportions_above_a_bias() -> None:
    rng = np.random.default_rng(2)
    signals = rng.standard_normal((2, 3, 50)).astype(np.float32)
    ours = fit_kernels(signals, rng, features=168)
    features = transform(signals, ours)
    leads = np.split(ours.leads, np.cumsum(ours.lead_counts)[:-1])
    biases = np.split(ours.biases, np.cumsum(np.repeat(ours.features, 84))[:-1])
    expected = []
    for pair, chosen in enumerate(leads):
        index, kernel = divmod(pair, 84)
        dilation = int(ours.dilations[index])
        convolved = convolution(signals[1, chosen].sum(axis=0), dilation, kernel)
        if (index + kernel) % 2:
            convolved = convolved[4 * dilation : 50 - 4 * dilation]
        expected.extend(np.mean(convolved > bias) for bias in biases[pair])
    np.testing.assert_allclose(features[1], expected, rtol=0, atol=1e-6)


def test_the_default_is_nearly_ten_thousand_features() -> None:
    dilations, features = choose_dilations(1000, 10_000)
    assert 84 * features.sum() == 9996
    assert dilations[0] == 1
    assert 8 * dilations[-1] < 1000 <= 16 * dilations[-1]
    assert (np.diff(dilations) > 0).all()


@pytest.mark.parametrize("samples", [9, 10, 16, 17, 33, 4096])
@pytest.mark.parametrize("features", [1, 84, 500, 10_000])
def test_dilated_kernels_never_exceed_the_signal(samples: int, features: int) -> None:
    dilations, counts = choose_dilations(samples, features)
    assert 8 * dilations[-1] < samples
    assert counts.sum() == max(features // 84, 1)


def test_a_signal_shorter_than_a_kernel_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 9 samples, not 8"):
        choose_dilations(8, 84)


def test_each_record_is_transformed_for_itself(
    golden: dict[str, npt.NDArray[np.float32]], kernels: Kernels
) -> None:
    together = transform(golden["signals"], kernels)
    for row, signal in zip(together, golden["signals"], strict=True):
        np.testing.assert_array_equal(transform(signal[None], kernels)[0], row)


def test_the_threads_of_pytorch_stay_as_they_are(
    golden: dict[str, npt.NDArray[np.float32]], kernels: Kernels
) -> None:
    """Numba's own threads are OpenMP's: using them would change how many PyTorch has."""
    before = torch.get_num_threads()
    transform(golden["signals"], kernels)
    assert torch.get_num_threads() == before == 1


def test_signals_that_do_not_fit_are_refused(
    golden: dict[str, npt.NDArray[np.float32]], kernels: Kernels
) -> None:
    for signals in (golden["signals"][:, :11], golden["signals"][:, :, :100]):
        with pytest.raises(ValueError, match="do not fit signals of"):
            transform(signals, kernels)


@pytest.mark.parametrize("name", ["dilations", "features", "lead_counts", "leads", "biases"])
def test_kernels_that_do_not_fit_together_are_refused(kernels: Kernels, name: str) -> None:
    array = asdict(kernels)[name]
    with pytest.raises(ValueError, match="do not fit together"):
        replace(kernels, **{name: array[:-1]})
    if name != "biases":
        with pytest.raises(ValueError, match="do not fit together"):
            replace(kernels, **{name: array - 100})
