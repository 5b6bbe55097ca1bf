"""Official files made of published names and shapes, real recordings to ask, and ways to compare."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from benchmark.models.contract import Batch, InputSpec
from benchmark.protocols.harmonise import cut, harmonise
from cohorts.catalogue import open_cohort
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
    signals = [
        cut(harmonise(cohort.read(str(name)).to_recording(), spec), 0, spec.samples)
        for name in cohort.index()["record_id"][:records]
    ]
    return Batch(
        np.ascontiguousarray(np.stack(signals)),
        np.full(records, np.nan, np.float32),
        np.full(records, "", dtype=np.str_),
    )


def asked_alone(ask: Callable[[Batch], Any], batch: Batch) -> Any:
    """What a model answers when it is given one record at a time."""
    return np.concatenate(
        [
            ask(Batch(batch.signals[at : at + 1], batch.age[at : at + 1], batch.sex[at : at + 1]))
            for at in range(len(batch))
        ]
    )


def relative_error(found: torch.Tensor, golden: npt.NDArray[Any]) -> float:
    """The largest deviation, relative to the largest value."""
    assert tuple(found.shape) == golden.shape
    return float(np.abs(found.numpy() - golden).max() / np.abs(golden).max())


def label_names(table: Path) -> tuple[str, ...]:
    """Labels in the order of a network's outputs."""
    with table.open(newline="") as file:
        return tuple(row["label"] for row in csv.DictReader(file))
