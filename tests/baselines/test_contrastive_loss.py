"""The loss of pairs, in one process and in two, and what is said of a model's retrieval."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import logsumexp

from baselines.contrastive.augment import vary_signals
from baselines.contrastive.dual_encoder import mean_of_sentences
from baselines.contrastive.loss import contrastive_loss
from baselines.contrastive.retrieval import recall_at

ROOT = Path(__file__).resolve().parents[2]
GROUPS = torch.tensor([0, 1, 2, 1, 3, 0])


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


TWO_PROCESSES = """
import sys
import torch
import torch.distributed as distributed
from torch.distributed.nn.functional import all_gather  # what Lightning's all_gather calls
from baselines.contrastive.loss import contrastive_loss

rank, folder = int(sys.argv[1]), sys.argv[2]
torch.set_num_threads(1)
distributed.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
signals, texts, groups, scale = torch.load(f"{folder}/inputs", weights_only=True)
for leaf in (signals, texts, scale):
    leaf.requires_grad_()
mine = slice(rank, None, 2)

def gather(tensor):
    return torch.cat(all_gather(tensor.contiguous()))

loss = contrastive_loss(signals[mine], texts[mine], groups[mine], scale, gather, rank)
loss.backward()
torch.save([loss.detach(), signals.grad, texts.grad, scale.grad], f"{folder}/{rank}")
distributed.destroy_process_group()
"""


def test_two_processes_have_the_loss_and_the_gradients_of_one(tmp_path: Path) -> None:
    signals, texts = unit_vectors(1)
    scale = torch.tensor(9.0, requires_grad=True)
    loss = contrastive_loss(signals, texts, GROUPS, scale)
    loss.backward()
    expected = [loss.detach(), signals.grad, texts.grad, scale.grad]

    leaves = [tensor.detach() for tensor in (signals, texts, GROUPS, scale)]
    torch.save(leaves, tmp_path / "inputs")
    command = [sys.executable, "-c", TWO_PROCESSES]
    running = [subprocess.Popen([*command, str(rank), str(tmp_path)], cwd=ROOT) for rank in range(2)]
    try:
        assert [process.wait(200) for process in running] == [0, 0]
    finally:
        for process in running:
            process.kill()
    parts = [torch.load(tmp_path / str(rank), weights_only=True) for rank in range(2)]
    for found, right in zip(zip(*parts, strict=True), expected, strict=True):
        # What several processes do with gradients: they average them.
        torch.testing.assert_close(sum(found) / 2, right, rtol=1e-5, atol=1e-7)


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
