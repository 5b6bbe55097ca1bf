"""State-space layers compute what the published ones compute, and start where the theory says."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from baselines.networks import s4
from baselines.networks.s4 import AttentionPool, EcgCpc, S4Classifier, through_blocks
from baselines.networks.s4_kernel import PAIRS, Kernel, convolve
from tests.baselines.golden import TOLERANCE, error, published_state, signals, state_of, values
from tests.baselines.s4_values import fill_s4

PREFIX = "ts_encoder."


@pytest.fixture(scope="module")
def checkpoints(shared: Path) -> Path:
    return shared / "facts" / "checkpoints"


@pytest.fixture(scope="module")
def published_cpc(checkpoints: Path) -> EcgCpc:
    network = EcgCpc().eval()
    fill_s4(network, checkpoints / "s4_kernel_constants.npz", PREFIX)
    return network


@pytest.fixture(scope="module")
def published_classifier(checkpoints: Path) -> S4Classifier:
    network = S4Classifier(71).eval()
    fill_s4(network, checkpoints / "s4_kernel_constants.npz")
    return network


def published_head() -> nn.Module:
    """The pool and the authors' layer of the outputs, under their names."""
    network = AttentionPool()
    network.register_module("c_proj", nn.Linear(512, 71, bias=False))
    return network


def head(prefix: str, network: nn.Module) -> Any:
    for name, tensor in network.state_dict().items():
        tensor.copy_(torch.from_numpy(values(prefix + name, tuple(tensor.shape))))
    return network


def cpc_error(network: EcgCpc, golden: Path, samples: int = 600) -> float:
    """600 samples are what the model is asked about here, 2400 what it was pre-trained on."""
    suffix, steps = ("", (5, 50, 1)) if samples == 600 else ("_2400", (100, 100, 100))
    attention = head("head.head.", published_head())
    linear = head("head.", nn.Linear(512, 71))
    with torch.inference_mode():
        x = signals(12, samples)
        encoded, tokens = network.encoder.layers(x), network.tokens(x)
        blocks = network.predictor.predictor
        first = through_blocks(blocks.s4_layers[:1], blocks.norms[:1], encoded)
        sequences = {
            name: sequence.transpose(1, 2)[:, ::step]
            for name, sequence, step in zip(
                ("encoder", "layer0", "output"), (encoded, first, tokens), steps, strict=True
            )
        }
        features = network.features(x)
        found = {
            **sequences,
            "embedding": features,
            "logits_attention": attention.c_proj(attention(tokens)),
            "logits_linear": linear(features),
        }
        return error({name + suffix: tensor for name, tensor in found.items()}, golden)


def classifier_error(network: S4Classifier, golden: Path) -> float:
    with torch.inference_mode():
        x = signals(12, 250)
        first = through_blocks(network.s4_layers[:1], network.norms[:1], network.encoder(x))
        found = {
            "output": network(x),
            "embedding": network.features(x),
            "sequence": network.tokens(x).transpose(1, 2)[:, ::10],
            "layer0": first.transpose(1, 2)[:, ::50],
            "kernel0": network.s4_layers[0].kernel.kernel(250)[:, :8],
        }
        return error(found, golden)


def test_ecg_cpc_is_the_published_one(checkpoints: Path, published_cpc: EcgCpc) -> None:
    published = published_state(checkpoints / "ecg_cpc_state_dict.csv")
    assert [(PREFIX + name, shape) for name, shape in state_of(published_cpc)] == [
        (name, shape) for name, shape in published if "head_ssl" not in name
    ]
    heads = published_state(checkpoints / "ecg_cpc_heads_state_dict.csv")
    assert [("head.head." + name, shape) for name, shape in state_of(published_head())] == heads[:5]
    golden = checkpoints / "ecg_cpc_golden_a.npz"
    for samples in (600, 2400):
        assert cpc_error(published_cpc, golden, samples) <= TOLERANCE
    with np.load(golden, allow_pickle=False) as file:
        kernel = published_cpc.predictor.predictor.s4_layers[0].kernel.kernel(1200)[:, :8].detach().numpy()
        assert np.abs(kernel - file["kernel0"]).max() <= TOLERANCE * np.abs(file["kernel0"]).max()


def test_the_supervised_network_is_the_published_one(
    checkpoints: Path, published_classifier: S4Classifier
) -> None:
    assert state_of(published_classifier) == published_state(checkpoints / "s4_ptbxl_state_dict.csv")
    assert classifier_error(published_classifier, checkpoints / "s4_ptbxl_golden_a.npz") <= TOLERANCE


def kernel_of(network: EcgCpc) -> Kernel:
    found = network.predictor.predictor.s4_layers[1].kernel.kernel
    assert isinstance(found, Kernel)
    return found


def conjugated_once_more(network: EcgCpc) -> None:
    kernel = kernel_of(network)
    kernel.Q[..., 1] *= -1


def without_low_rank(network: EcgCpc) -> None:
    kernel_of(network).P.zero_()


def nodes_moved(network: EcgCpc) -> None:
    kernel = kernel_of(network)
    kernel.omega *= 1.001
    kernel.z *= 1.001


def normed_before(network: EcgCpc) -> None:
    blocks = network.predictor.predictor
    blocks.norms[2] = nn.Identity()


CHANGES: dict[str, Callable[[EcgCpc], None]] = {
    "conjugate": conjugated_once_more,
    "low rank": without_low_rank,
    "nodes": nodes_moved,
    "normalisation": normed_before,
    "activation": lambda network: network.encoder.layers[2].__setitem__(2, nn.LeakyReLU(0.001)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_one_changed_layer_is_noticed(checkpoints: Path, published_cpc: EcgCpc, change: str) -> None:
    network = deepcopy(published_cpc)
    CHANGES[change](network)
    assert cpc_error(network, checkpoints / "ecg_cpc_golden_a.npz") > TOLERANCE


def test_the_future_begins_with_the_next_sample(
    checkpoints: Path, published_classifier: S4Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    def one_later(x: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
        return convolve(x, torch.stack([kernel[0], kernel[1].roll(1, dims=-1)]))

    monkeypatch.setattr(s4, "convolve", one_later)
    assert classifier_error(published_classifier, checkpoints / "s4_ptbxl_golden_a.npz") > TOLERANCE


def numbers(stored: torch.Tensor) -> Any:
    return torch.view_as_complex(stored.detach().double().contiguous()).numpy()


def test_a_new_kernel_is_the_impulse_response_of_its_system() -> None:
    torch.manual_seed(0)
    kernel = Kernel(features=3, directions=2, length=64)
    found = kernel(40).detach().numpy()
    assert found.shape == (2, 3, 40)
    for feature in range(3):
        step = np.exp(kernel.log_dt[feature].double().numpy())
        w, b, p, q = (
            numbers(stored)[..., feature, :].reshape(PAIRS)
            for stored in (kernel.w[None], kernel.B, kernel.P, kernel.Q)
        )
        both = [np.concatenate([half, half.conj()]) for half in (w, b, p, q)]
        matrix = np.diag(both[0]) - np.outer(both[2], both[3])
        one = np.eye(2 * PAIRS)
        discrete = np.linalg.solve(one - step / 2 * matrix, one + step / 2 * matrix)
        entry = step * np.linalg.solve(one - step / 2 * matrix, both[1])
        undone = np.linalg.inv(one - np.linalg.matrix_power(discrete, 64))
        for direction in range(2):
            c = numbers(kernel.C)[direction, feature]
            row = np.concatenate([c, c.conj()]) @ undone
            expected = [(row @ np.linalg.matrix_power(discrete, t) @ entry).real for t in range(40)]
            np.testing.assert_allclose(
                found[direction, feature], expected, atol=1e-4 * np.abs(expected).max()
            )


@pytest.mark.parametrize("answering", [torch.no_grad, torch.inference_mode])
def test_a_kernel_is_worked_out_once_and_again_after_every_change(answering: Any) -> None:
    torch.manual_seed(0)
    kernel, other = (Kernel(features=3, directions=2, length=64).eval() for _ in range(2))

    def asked(samples: int = 64) -> torch.Tensor:
        """What a network that answers is given, checked against what one that learns is given."""
        with answering():
            first, second = kernel(samples), kernel(samples)
        assert first.data_ptr() == second.data_ptr()
        copied: torch.Tensor = deepcopy(kernel)(samples).detach()
        assert torch.equal(first, copied)
        return copied

    seen = [asked(), asked(40)]
    assert torch.equal(seen[1], seen[0][..., :40])
    with torch.no_grad():
        kernel.C.mul_(2)
    seen.append(asked())
    kernel.P *= 2
    seen.append(asked())
    optimiser = torch.optim.AdamW(kernel.parameters(), lr=0.1)
    kernel.train()(64).square().sum().backward()
    optimiser.step()
    kernel.eval()
    seen.append(asked())
    kernel.load_state_dict(other.state_dict())
    seen.append(asked())
    kernel.double()
    asked()
    for number, one in enumerate(seen[1:], start=1):
        assert number == 1 or not torch.equal(one, seen[0])
        assert number < 3 or not torch.equal(one, seen[number - 1])


def test_a_new_kernel_starts_with_the_published_constants(checkpoints: Path) -> None:
    """An eigenvector may have any phase, so what is compared are lengths and the products that count."""
    kernel = Kernel(features=2, directions=1, length=1200)
    with np.load(checkpoints / "s4_kernel_constants.npz", allow_pickle=False) as file:
        w, b, p, q = (numbers(torch.from_numpy(file[f"legs8_{name}"])) for name in "wBPQ")
        np.testing.assert_allclose(kernel.omega.numpy(), file["omega_L1200"], atol=1e-5)
        turning = kernel.z[:500, 1].numpy()
        np.testing.assert_allclose(turning, file["z_L1200"][:500, 1], rtol=1e-4)
    np.testing.assert_allclose(numbers(kernel.w)[1], w, atol=1e-5)
    found = [numbers(stored)[0, 1] for stored in (kernel.B, kernel.P, kernel.Q)]
    np.testing.assert_allclose(found[1] * found[2], p * q, atol=1e-5)
    np.testing.assert_allclose(found[0] * found[2], b * q, atol=1e-5)


@pytest.mark.parametrize("directions", [1, 2])
def test_convolution_is_a_sum_over_the_past_and_the_future(directions: int) -> None:
    rng = np.random.default_rng(0)
    x, kernel = rng.standard_normal((2, 3, 7)), rng.standard_normal((directions, 3, 7))
    expected = np.zeros_like(x)
    for t in range(7):
        for s in range(7):
            if s <= t:
                expected[..., t] += kernel[0, :, t - s] * x[..., s]
            elif directions == 2:
                expected[..., t] += kernel[1, :, s - t - 1] * x[..., s]
    found = convolve(torch.from_numpy(x), torch.from_numpy(kernel)).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_a_recording_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="64 samples, not 65"):
        Kernel(2, 1, 64)(65)


def test_only_what_the_authors_train_is_trained() -> None:
    trained = {name.rpartition(".")[2] for name, _ in S4Classifier(2, length=8).s4_layers.named_parameters()}
    assert trained == {"C", "D", "weight", "bias"}
