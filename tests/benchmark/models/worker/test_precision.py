"""A worker asks for whole single precision as the suite does, and imports no torch to do so."""

from __future__ import annotations

import sys

import pytest
import torch

from benchmark.models.worker.worker import whole_single_precision


def test_both_flags_are_off_after_the_code_is_loaded() -> None:
    backends = (torch.backends.cudnn, torch.backends.cuda.matmul)
    before = [backend.allow_tf32 for backend in backends]
    try:
        for backend in backends:
            backend.allow_tf32 = True
        whole_single_precision()
        assert [backend.allow_tf32 for backend in backends] == [False, False]
    finally:
        for backend, allowed in zip(backends, before, strict=True):
            backend.allow_tf32 = allowed


def test_torch_is_not_imported_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torch")
    whole_single_precision()
    assert "torch" not in sys.modules
