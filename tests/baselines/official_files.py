"""Official files made of published names and shapes, real recordings to ask, and what every entry promises."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from baselines.foundation.base import FineTunable, FoundationModel
from benchmark.models.contract import Batch, InputSpec, ModelCard
from benchmark.protocols.harmonise import cut, harmonise
from cohorts.catalogue import open_cohort
from cohorts.errors import ModelError
from tests.baselines.golden import published_state, values

State = dict[str, torch.Tensor]


def known_state(table: Path) -> State:
    """A state dict with the published names and shapes, and the known values of the golden outputs."""
    state: State = {}
    for name, shape in published_state(table):
        if name.endswith("num_batches_tracked"):
            state[name] = torch.tensor(0)
        else:
            size = () if shape == "scalar" else tuple(map(int, shape.split("x")))
            state[name] = torch.from_numpy(values(name, size))
    return state


def random_state(network: nn.Module, seed: int = 0) -> State:
    """The state dict of a network as it was drawn, with variances that are not all 1."""
    rng = torch.Generator().manual_seed(seed)
    return {
        name: torch.rand(tensor.shape, generator=rng) + 0.5 if name.endswith("running_var") else tensor
        for name, tensor in network.state_dict().items()
    }


def real_batch(shared: Path, spec: InputSpec, records: int = 3) -> Batch:
    """The first records of PTB-XL's sample, as a card asks for them."""
    cohort = open_cohort("ptb-xl", shared / "data")
    assert cohort is not None
    rows = cohort.index().iloc[:records]
    signals = [
        cut(harmonise(cohort.read(row), spec), 0, spec.samples) for _, row in rows.iterrows()
    ]
    return Batch(
        np.ascontiguousarray(np.stack(signals)),
        np.full(records, np.nan, np.float32),
        np.full(records, "", dtype=np.str_),
    )
