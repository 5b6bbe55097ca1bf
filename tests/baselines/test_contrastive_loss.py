"""The loss of pairs, in one process and in two, and what is said of a model's retrieval."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from torch import nn

from baselines.contrastive.augment import vary_signals
from baselines.contrastive.dual_encoder import mean_of_sentences
from baselines.contrastive.loss import contrastive_loss
from baselines.contrastive.parts import by_parts
from baselines.contrastive.retrieval import recall_at
from tests.baselines.shared_batch import GROUPS, pairs_to_place

ROOT = Path(__file__).resolve().parents[2]


def unit_vectors(seed: int, pairs: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    """Signals and texts, as leaves of a graph."""
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(2, pairs, 4, generator=generator)
    signals, texts = drawn / drawn.norm(dim=-1, keepdim=True)
    return signals.requires_grad_(), texts.requires_grad_()


def by_hand(signals: np.ndarray, texts: np.ndarray, groups: np.ndarray, scale: float) -> float:
    """The definition, a pair at a time."""
    total = 0.0
    for i in range(len(signals)):
        counted = [j for j in range(len(signals)) if j == i or groups[j] != groups[i]]
        own = scale * signals[i] @ texts[i]
        total += logsumexp([scale * signals[i] @ texts[j] for j in counted]) - own
        total += logsumexp([scale * signals[j] @ texts[i] for j in counted]) - own
    return total / (2 * len(signals))


def test_the_loss_is_its_definition() -> None:
    signals, texts = unit_vectors(1)
    for groups in (torch.arange(6), GROUPS, torch.zeros(6, dtype=torch.int64)):
        arrays = [tensor.detach().double().numpy() for tensor in (signals, texts)]
        found = contrastive_loss(signals, texts, groups, torch.tensor(9.0)).item()
        assert found == pytest.approx(by_hand(*arrays, groups.numpy(), 9.0), abs=1e-6)


def test_equal_reports_are_no_counter_examples() -> None:
    signals, texts = unit_vectors(2, pairs=2)
    same, different = torch.tensor([7, 7]), torch.tensor([7, 8])
    assert contrastive_loss(signals, texts, same, torch.tensor(5.0)).item() == pytest.approx(0, abs=1e-6)
    assert contrastive_loss(signals, texts, different, torch.tensor(5.0)).item() > 0.1


def of_one_batch() -> tuple[torch.Tensor, list[torch.Tensor]]:
    """The loss and the gradients of all pairs at once, in one process and one part."""
    network, pairs = pairs_to_place()
    loss = network(*pairs, 1)
    loss.backward()
    return loss.detach(), [parameter.grad for parameter in network.parameters()]


@pytest.mark.parametrize("parts", [2, 5])
def test_parts_have_the_loss_and_the_gradients_of_the_whole_batch(parts: int) -> None:
    network, pairs = pairs_to_place()
    loss = network(*pairs, parts)
    loss.backward()
    whole, gradients = of_one_batch()
    torch.testing.assert_close(loss.detach(), whole, rtol=0, atol=1e-6)
    found = [parameter.grad for parameter in network.parameters()]
    torch.testing.assert_close(found, gradients, rtol=1e-5, atol=1e-6)
    # Steps whose gradients are averaged would be something else: a pair has fewer to be told from.
    network.zero_grad()
    split = zip(*(tensor.chunk(2) for tensor in pairs), strict=True)
    losses = torch.stack([network(*some, 1) for some in split])
    losses.mean().backward()
    assert losses.mean().item() < whole.item() - 0.1
    averaged = network.log_scale.grad.item()
    assert abs(averaged - gradients[0].item()) > 0.1 * abs(gradients[0].item())


def test_what_is_inside_the_network_is_not_kept_for_the_gradients() -> None:
    network, pairs = pairs_to_place()
    kept: list[torch.Tensor] = []

    def note(tensor: torch.Tensor) -> torch.Tensor:
        kept.append(tensor)
        return tensor

    hidden = {}
    for parts in (1, 4):
        kept.clear()
        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            by_parts(network, network.signals, torch.tensor_split(pairs[0], parts))
        hidden[parts] = sum(len(tensor) for tensor in kept if tensor.ndim == 2 and tensor.shape[1] == 8)
    assert hidden[1] >= 12
    assert hidden[4] == 0


def test_what_goes_through_twice_is_drawn_and_counted_once() -> None:
    """Dropout is drawn alike when a part is computed again, and running statistics do not move again."""
    made = []
    for parts in (True, False):
        torch.manual_seed(1)
        network = nn.Sequential(nn.Linear(5, 6), nn.BatchNorm1d(6), nn.Dropout(0.5), nn.Linear(6, 3))
        some = torch.tensor_split(torch.randn(12, 5), 3)
        placed = by_parts(network, network, some) if parts else torch.cat([network(part) for part in some])
        placed.square().sum().backward()
        made.append((placed, [p.grad for p in network.parameters()], list(network.buffers())))
    torch.testing.assert_close(*made, rtol=1e-6, atol=1e-7)
    assert made[0][2][2] == 3


def test_two_processes_by_three_parts_have_the_loss_and_the_gradients_of_one_batch(tmp_path: Path) -> None:
    """Neither is this one: whoever waits for another process within torch hears of no time limit."""
    call = (sys.executable, "-W", "ignore::FutureWarning", "-m", "tests.baselines.shared_batch", tmp_path)
    shares = [subprocess.Popen([*call, str(rank)], cwd=ROOT) for rank in range(2)]
    try:
        assert [share.wait(200) for share in shares] == [0, 0]
    finally:
        for share in shares:
            share.kill()
            share.wait()
    losses, gradients = zip(
        *(torch.load(tmp_path / str(rank), weights_only=True) for rank in range(2)), strict=True
    )
    whole, expected = of_one_batch()
    torch.testing.assert_close(sum(losses) / 2, whole, rtol=0, atol=1e-6)
    for found in gradients:  # which the processes have averaged already
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


def test_recall_counts_equal_reports_as_hits_and_ties_as_misses() -> None:
    signals = torch.eye(4)
    texts = torch.eye(4)[[1, 0, 2, 3]]  # the first two are exchanged
    groups = torch.arange(4)
    assert recall_at(signals, texts, groups, (1, 2, 4)) == (0.5, 0.5, 1.0)
    assert recall_at(signals, texts, torch.tensor([0, 0, 1, 2]), (1,)) == (1.0,)
    same = torch.ones(4, 3)
    assert recall_at(same, same, groups, (1, 3, 4)) == (0.0, 0.0, 1.0)
    assert recall_at(same, same, torch.zeros(4), (1,)) == (1.0,)


def test_recall_agrees_with_a_full_sort(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("baselines.contrastive.retrieval.AT_ONCE", 7)
    rng = np.random.default_rng(3)
    queries, candidates = rng.standard_normal((2, 50, 3)).astype(np.float32)
    groups = rng.integers(0, 20, 50)
    order = np.argsort(-(queries @ candidates.T), axis=1)
    expected = [np.mean((groups[order[:, :k]] == groups[:, None]).any(axis=1)) for k in (1, 5, 10)]
    found = recall_at(*map(torch.from_numpy, (queries, candidates, groups)), (1, 5, 10))
    assert found == pytest.approx(expected)


def test_a_report_is_the_mean_direction_of_its_sentences() -> None:
    table = torch.nn.functional.normalize(torch.randn(5, 8, generator=torch.Generator().manual_seed(1)))
    found = mean_of_sentences(table, torch.tensor([0, 3, 4, 2]), torch.tensor([0, 3]))
    mean = (table[0] + table[3] + table[4]) / 3
    torch.testing.assert_close(found, torch.stack([mean / mean.norm(), table[2]]))


@pytest.fixture
def beats() -> torch.Tensor:
    """Three recordings of 8 s at 100 Hz: a narrow wave a second, upright in one lead and not in the other."""
    time = torch.arange(800) / 100
    wave = torch.exp(-(((time % 1 - 0.5) / 0.03) ** 2))
    return torch.stack([torch.stack([gain * wave, -0.5 * gain * wave]) for gain in (0.5, 1.0, 2.0)])


def test_variants_keep_leads_polarity_voltage_and_rhythm(beats: torch.Tensor) -> None:
    torch.manual_seed(0)
    for _ in range(20):
        varied = vary_signals(beats, 100.0)
        peak, trough = varied[:, 0].amax(dim=1), varied[:, 1].amin(dim=1)
        assert (peak / beats[:, 0].amax(dim=1) - 1).abs().max() < 0.1 + (0.05 + 5 * 0.02) / 0.5
        assert ((trough < -0.1) & (varied[:, 1].amax(dim=1) < 0.2)).all()
        for record in range(3):
            lags = np.correlate(*2 * [varied[record, 0].numpy() - varied[record, 0].mean().item()], "full")
            assert 95 <= np.argmax(lags[799 + 50 : 799 + 150]) + 50 <= 105


def test_variants_are_drawn_anew_for_each_record_and_only_from_the_seed(beats: torch.Tensor) -> None:
    same = beats[:1].repeat(3, 1, 1)
    kept = same.clone()
    torch.manual_seed(4)
    first = vary_signals(same, 100.0)
    second = vary_signals(same, 100.0)
    torch.manual_seed(4)
    assert torch.equal(vary_signals(same, 100.0), first)
    assert torch.equal(same, kept)
    assert not torch.allclose(first, second, atol=0.01)
    assert not torch.allclose(first[0], first[1], atol=0.01)


def test_the_gain_is_one_for_all_leads_and_the_shift_a_move(beats: torch.Tensor) -> None:
    torch.manual_seed(1)
    varied = vary_signals(beats, 100.0, noise=0, wander=0)
    torch.testing.assert_close(varied[:, 1], -0.5 * varied[:, 0])
    torch.manual_seed(1)
    assert torch.equal(vary_signals(beats, 100.0, gain=0, noise=0, wander=0, shift=0), beats)
    torch.manual_seed(1)
    moved = vary_signals(beats, 100.0, gain=0, noise=0, wander=0, shift=0.5)
    for before, after in zip(beats, moved, strict=True):
        shifts = [
            s for s in range(-50, 51) if torch.equal(after[:, 50:-50], before.roll(s, dims=1)[:, 50:-50])
        ]
        assert len(shifts) == 1
