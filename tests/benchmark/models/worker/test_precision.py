"""A worker asks for whole single precision as the suite does, and imports no torch to do so."""

from __future__ import annotations

import sys

import pytest
import torch

from benchmark.models.worker.worker import whole_single_precision


def test_both_flags_are_off_after_the_code_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    monkeypatch.setattr(torch.backends.cuda.matmul, "allow_tf32", True)
    whole_single_precision()
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32


def test_torch_is_not_imported_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torch")
    whole_single_precision()
    assert "torch" not in sys.modules
