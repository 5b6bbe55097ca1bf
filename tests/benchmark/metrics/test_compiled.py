"""Compiled functions work wherever the package lies, and whatever became of the kept machine code."""

from __future__ import annotations

import errno
import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from numba.core import caching

from benchmark.metrics.compiled import compiled
from cohorts.hashing import ROOT


def module_at(folder: Path) -> ModuleType:
    path = folder / "twice_of.py"
    path.write_text(
        "from benchmark.metrics.compiled import compiled\n@compiled\ndef twice(x):\n    return 2 * x\n"
    )
    spec = importlib.util.spec_from_file_location("twice_of", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_machine_code_is_kept_for_the_next_process(tmp_path: Path) -> None:
    assert module_at(tmp_path).twice(21) == 42
    again = module_at(tmp_path).twice
    assert again(21) == 42
    assert sum(again.stats.cache_hits.values()) == 1


def test_a_read_only_installation_and_home_compile_for_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def twice(x: int) -> int:
        return 2 * x

    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])
    assert compiled(twice)(21) == 42


def test_a_disk_that_is_full_when_the_code_is_kept_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(caching.IndexDataCacheFile, "_save_data", full)
    assert module_at(tmp_path).twice(21) == 42


@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
@pytest.mark.parametrize("damage", [b"", b"\x80\x05garbage", b"cos\nsystem\n"])
def test_damaged_machine_code_is_made_again(tmp_path: Path, suffix: str, damage: bytes) -> None:
    module_at(tmp_path).twice(21)
    (kept,) = (tmp_path / "__pycache__").glob(f"*.{suffix}")
    kept.write_bytes(damage)
    assert module_at(tmp_path).twice(21) == 42
    again = module_at(tmp_path).twice
    assert again(21) == 42
    assert sum(again.stats.cache_hits.values()) == 1


def test_everything_that_is_compiled_is_compiled_here() -> None:
    found = {
        path.relative_to(ROOT).as_posix()
        for room in ("cohorts", "benchmark", "baselines")
        for path in (ROOT / room).rglob("*.py")
        if re.search(r"\bn?jit\b", path.read_text("utf-8"))
    }
    assert found == {"benchmark/metrics/compiled.py"}
