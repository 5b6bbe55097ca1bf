"""How it is measured: model contract, runner, metrics, results and report.

The Python interface is what can be imported from here::

    from benchmark import bootstrap_auroc, evaluate, load_run, score

`evaluate` runs a model on releases, `load_run` reads a run, `score` measures predictions made elsewhere, and
`bootstrap_auroc` gives one AUROC with its interval. Every expected failure is a `LeadboardError` with one
sentence.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.2.0"

_PLACES = {
    "Auroc": "benchmark.metrics.auroc",
    "LeadboardError": "cohorts.errors",
    "Run": "benchmark.records.run",
    "ScoredTable": "benchmark.scoring.against_labels",
    "bootstrap_auroc": "benchmark.metrics.auroc",
    "evaluate": "benchmark.run.evaluating",
    "load_run": "benchmark.records.run",
    "score": "benchmark.scoring.score",
}
"""The same as in ``__init__.pyi``, which tells type checkers; an import here would run up the house."""

__all__ = list(_PLACES)


def __getattr__(name: str) -> Any:
    """Import what is asked for, and no more: the command line has to answer at once."""
    if name not in _PLACES:
        raise AttributeError(f"module 'benchmark' has no attribute '{name}'")
    found = globals()[name] = getattr(importlib.import_module(_PLACES[name]), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_PLACES})
