"""Age bands."""

from __future__ import annotations

import doctest

from benchmark.metrics.cell import subgroups
from benchmark.metrics.cell.subgroups import age_bands


def test_age_bands() -> None:
    assert age_bands([0, 39.9, 60, 80], (60,)) == ["under 60", "under 60", "60 and over", "60 and over"]
    assert age_bands([]) == []
    assert doctest.testmod(subgroups).failed == 0
