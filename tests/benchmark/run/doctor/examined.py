"""A check of the doctor that has to find something, and a torch that is quickly asked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmark.config import Places
from benchmark.run.doctor.machine import Finding, Machine


def found(check: Callable[[Machine], Finding], places: Places | None, *words: str) -> Finding:
    """Make a check that has to find a problem, to say these words, and to say what to do."""
    finding = check(Machine(places))
    assert finding.status == "problem", finding
    assert all(word in finding.found for word in words), finding
    assert finding.do
    return finding


def torch_of(folder: Path, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let other processes import this in place of torch."""
    (folder / "torch.py").write_text(code)
    monkeypatch.setenv("PYTHONPATH", str(folder))


TORCH = """
class version:
    cuda = {cuda}

class cuda:
    is_available = staticmethod(lambda: {devices} > 0)
    device_count = staticmethod(lambda: {devices})

__version__ = "2.9"
"""
