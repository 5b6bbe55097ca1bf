"""Which precision is trained and asked in, and that nothing but what asks for it is touched."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from benchmark.models.contract import Batch, Floats
from benchmark.models.plugins import find_model
from benchmark.protocols.precision import (
    COMPARED,
    asked_in,
    compared_rows,
    rounding_of,
    training_precision,
)
from benchmark.protocols.protocol import find_protocol
from benchmark.protocols.training import TrainingPlan, plan_training
from benchmark.records.record import Training
from cohorts.catalogue import open_cohort
from cohorts.preparing import prepare
from cohorts.store import Store
from tests.releases import write_ptb_xl

BATCH = Batch(np.ones((3, 12, 50), np.float32), np.zeros(3, np.float32), np.array(["", "", ""]))


@pytest.mark.parametrize(
    ("asked", "device", "able", "found"),
    [
        ("auto", "cpu", True, "32-true"),
        ("auto", "mps", True, "32-true"),
        ("auto", "cuda", True, "bf16-mixed"),
        ("auto", "cuda:1", True, "bf16-mixed"),
        ("auto", "cuda", False, "32-true"),
        ("32-true", "cuda", True, "32-true"),
        ("bf16-mixed", "cpu", False, "bf16-mixed"),
    ],
)
def test_a_gpu_that_can_is_trained_on_in_bfloat16(
    asked: str, device: str, able: bool, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def supported(*, including_emulation: bool) -> bool:
        assert not including_emulation, "what is emulated is slower than single precision"
        return able

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", supported)
    assert training_precision(asked, device) == found  # type: ignore[arg-type]


def test_a_machine_without_a_gpu_trains_for_one_in_single_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert training_precision("auto", "cuda") == "32-true"


def test_float32_is_asked_for_as_ever_and_bf16_under_autocast() -> None:
    layer = torch.nn.Linear(50, 2)

    def ask(batch: Batch) -> torch.Tensor:
        return layer(torch.from_numpy(batch.signals)).detach()

    assert asked_in("float32", "cpu", ask) is ask
    assert asked_in("bf16", "cpu", ask)(BATCH).dtype == torch.bfloat16
    assert not torch.is_autocast_enabled("cpu")
    assert ask(BATCH).dtype == torch.float32


def test_differences_are_those_of_absolute_values() -> None:
    whole: Floats = np.zeros((2, 3, 2), np.float32)
    scores = whole.copy()
    scores[1, 2, 0], scores[0, 0, 1] = -0.5, 0.25
    found = rounding_of(scores, whole)
    assert (found.records, found.largest, found.mean) == (3, 0.5, 0.75 / 12)
    assert found.sentence == (
        "Scores lie up to 0.5 from those in float32, 0.062 on average (3 records scored both ways)."
    )


@pytest.mark.parametrize("count", [1, 2, COMPARED - 1, COMPARED, COMPARED + 1, 10 * COMPARED])
def test_compared_records_are_distinct_and_spread_over_all(count: int) -> None:
    found = compared_rows(np.arange(count))
    assert len(np.unique(found)) == len(found) == min(count, COMPARED)
    assert (found[0], found[-1]) == (0, count - 1)
    assert np.diff(found, prepend=-1).max() <= -(-count // COMPARED) + 1


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    root = tmp_path_factory.mktemp("data")
    write_ptb_xl(root)
    cohort = open_cohort("ptb-xl", root)
    assert cohort is not None
    return prepare(cohort, root / "cache")


@pytest.mark.parametrize(
    ("model", "protocol", "used"),
    [
        ("resnet1d", "as-is", "bf16-mixed"),
        ("ecgclip-small", "fine-tune-100", "bf16-mixed"),
        ("resnet1d-random", "linear-probe-100", "32-true"),
        ("minirocket", "as-is", "32-true"),
    ],
)
def test_the_precision_that_is_used_decides_the_key_and_is_stated(
    model: str, protocol: str, used: str, store: Store, tmp_path: Path
) -> None:
    source = find_model(model)

    def planned(**more: str) -> TrainingPlan:
        return plan_training(source, store, tmp_path, 0, protocol=find_protocol(protocol), **more)  # type: ignore[arg-type]

    usual, whole, lower = planned(), planned(precision="32-true"), planned(precision="bf16-mixed")
    assert usual.key == whole.key
    assert (lower.key != usual.key) == (used == "bf16-mixed")
    assert (usual.training().precision, lower.training().precision) == ("32-true", used)


def test_a_record_that_states_none_is_of_a_training_in_single_precision() -> None:
    older = {"source": "ptb-xl", "fingerprint": "f", "percent": 100, "seed": 0, "key": "k"}
    assert Training(records=1, validation_records=1, **older).precision == "32-true"  # type: ignore[arg-type]
