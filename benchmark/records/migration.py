"""Result records of earlier schemas, brought to the latest: what they did not state stays unstated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmark.metrics.cell.statistics import REFERENCE_PREVALENCE, CellStatistics
from benchmark.metrics.estimates import undefined


def migrated(content: Any) -> Any:
    """Bring the content of a record to the latest schema, one step after the other.

    Parameters
    ----------
    content
        Of the JSON file, whatever it is; what is no record of an earlier schema is given back as it is.
    """
    while isinstance(content, dict) and _version(content) in _STEPS:
        content = _STEPS[_version(content)](content)
    return content


def _version(content: dict[str, Any]) -> int:
    stated = content.get("schema_version")
    return stated if type(stated) is int else 0


def _to_2(content: dict[str, Any]) -> dict[str, Any]:
    """Several fits: before, a model had one or none, of all labels, and no pre-training by the suite."""
    weights, training = content.get("weights_sha256"), content.get("training")
    fit = {"percent": 100, **training} if isinstance(training, dict) else training
    return content | {
        "schema_version": 2,
        "weights_sha256": [] if weights is None else [weights],
        "training": [] if fit is None else [fit],
        "pretraining": None,
    }


def _to_3(content: dict[str, Any]) -> dict[str, Any]:
    """Statistics beside AUROC and AUPRC: nobody can tell them from a record that has none."""
    why = "the record is of an earlier schema, which had none"
    fits = content.get("training")
    empty = CellStatistics(
        fits=max(1, len(fits)) if isinstance(fits, list) else 1,
        resamples=0,
        reference_prevalence=REFERENCE_PREVALENCE,
        macro_auprc_at_reference=undefined(why),
        concepts={},
        calibration=None,
        why_no_calibration=why,
        calls={},
        why_no_calls=why,
        subgroups={},
    )
    return content | {"schema_version": 3, "statistics": empty.model_dump(mode="json")}


_STEPS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {1: _to_2, 2: _to_3}
"""Schema -> what makes a record of the next one of it."""
