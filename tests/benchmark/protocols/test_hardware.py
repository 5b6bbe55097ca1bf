"""The device and the threads are found; a device that is not there is refused before anything is computed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from benchmark.protocols import hardware
from benchmark.protocols.hardware import Hardware, best_device, processors, spare_memory
from cohorts.errors import UsageError


def test_a_device_that_cannot_be_used_is_a_wrong_call() -> None:
    with pytest.raises(UsageError, match=r"The device 'abacus' cannot be used here \(.+\); try --device cpu"):
        Hardware(device="abacus").check()


def test_the_processor_needs_no_look_at_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    Hardware().check()
    with pytest.raises(ImportError):
        Hardware(device="cuda").check()


def test_a_device_that_can_hold_an_array_passes() -> None:
    Hardware(device="meta").check()


def test_the_fastest_device_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import torch

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert best_device(tmp_path) == "cpu", "there is no driver, so torch is not even asked"
    (tmp_path / "nvidiactl").touch()
    assert best_device(tmp_path) == "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert best_device(tmp_path) == "cpu", "a torch for the processor alone"
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert best_device(tmp_path) == "mps"
    monkeypatch.setattr(hardware, "best_device", lambda: "cuda")
    assert Hardware().device == "cuda"
    assert Hardware("cpu").device == "cpu"


def test_as_many_threads_as_processors_that_may_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 1 <= processors() <= (os.cpu_count() or 1)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(48)), raising=False)
    monkeypatch.setattr(hardware, "_granted", lambda: 1 << 16)
    assert Hardware().workers == 48
    monkeypatch.setattr(hardware, "_granted", lambda: 6)
    assert Hardware().workers == 6
    assert Hardware(workers=3).workers == 3


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ({"a/b": "max 100000"}, 1 << 16),
        ({"a/b": "150000 100000"}, 2),
        ({"a/b": "max 100000", "a": "400000 100000"}, 4),
        ({"a/b": "50000 100000", "a": "400000 100000"}, 1),
        ({"": "300000 100000"}, 3),
        ({"a/b": "garbage"}, 1 << 16),
        ({}, 1 << 16),
    ],
)
def test_what_control_groups_grant(tmp_path: Path, groups: dict[str, str], expected: int) -> None:
    root = tmp_path / "cgroup"
    (root / "a" / "b").mkdir(parents=True)
    for name, quota in groups.items():
        (root / name / "cpu.max").write_text(f"{quota}\n")
    own = tmp_path / "own"
    own.write_text("0::/a/b\n")
    assert hardware._granted(root, own) == expected
    assert hardware._granted(root, tmp_path / "absent") in (expected, 1 << 16)


def test_a_gpu_scores_in_whole_single_precision() -> None:
    import torch

    torch.backends.cudnn.allow_tf32 = True
    Hardware(device="meta").check()
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32


def test_spare_memory_is_the_least_of_what_is_said(tmp_path: Path) -> None:
    assert spare_memory() > 1 << 20
    facts, group = tmp_path / "meminfo", tmp_path / "group"
    group.mkdir()
    assert spare_memory(facts, group) == 2 << 30, "nobody says anything"
    facts.write_text("MemTotal:       100 kB\nMemAvailable:    64 kB\n")
    assert spare_memory(facts, group) == 65536
    (group / "memory.current").write_text("1000\n")
    (group / "memory.max").write_text("max\n")
    assert spare_memory(facts, group) == 65536
    (group / "memory.max").write_text("5000\n")
    assert spare_memory(facts, group) == 4000
    (group / "memory.max").write_text("500\n")
    assert spare_memory(facts, group) == 0
