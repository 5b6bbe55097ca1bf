"""The learning rate over a whole training, also where it is so short that torch's own schedule fails."""

from __future__ import annotations

import pytest
import torch

from baselines.training.schedule import one_cycle


def rates(steps: int, warm_up: float) -> list[float]:
    optimiser = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=0.01)
    schedule = one_cycle(optimiser, 0.01, steps, warm_up)["scheduler"]
    found = []
    for _ in range(steps):
        found.append(float(optimiser.param_groups[0]["lr"]))
        optimiser.step()
        schedule.step()
    return found


@pytest.mark.parametrize("warm_up", [0.1, 0.2, 0.25, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("steps", range(2, 25))
def test_it_never_exceeds_its_peak_and_ends_low(steps: int, warm_up: float) -> None:
    found = rates(steps, warm_up)
    assert all(0 < rate <= 0.01 for rate in found)
    assert found[-1] < 1e-6
    top = found.index(max(found))
    assert found[top:] == sorted(found[top:], reverse=True)
    assert found[:top] == sorted(found[:top])


def test_a_rise_of_a_single_step_is_left_out() -> None:
    """Ten steps of which a tenth warm up: 74 recordings in batches of 16, for two epochs."""
    found = rates(10, 0.1)
    assert found == sorted(found, reverse=True)
    assert found[0] > 0.009
