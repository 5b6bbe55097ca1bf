"""A device that is not there is refused before anything is computed."""

from __future__ import annotations

import sys

import pytest

from benchmark.protocols.hardware import Hardware
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
