"""Croissant: the public cohorts of a run, each described in JSON-LD as catalogues of data sets read it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from benchmark.records.record import ResultRecord
from benchmark.report.facts import copy_size
from benchmark.report.papers.croissant_files import distribution
from benchmark.report.text import count
from cohorts.cohort import CohortCard
from cohorts.errors import UsageError

CONFORMS_TO = "http://mlcommons.org/croissant/1.0"

_TERMS = (
    "citeAs column equivalentProperty extract field fileProperty fileObject fileSet format includes "
    "isLiveDataset jsonPath key md5 parentField path recordSet references regex repeated replace "
    "samplingRate separator source subField transform"
)
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
} | {term: f"cr:{term}" for term in _TERMS.split()}
"""That of Croissant 1.0, whole: readers compare it with their own."""

NOT_STATED = "not stated"


def croissants(
    records: Sequence[ResultRecord],
    cards: Mapping[str, CohortCard],
    roots: Mapping[str, Path] = MappingProxyType({}),
) -> dict[str, str]:
    """Describe each public release that the run measured; simulated and private cohorts are no releases.

    Parameters
    ----------
    cards
        By id of the cohort.
    roots
        Where releases lie that are on this machine, for the publisher's list of their files.

    Returns
    -------
    dict
        ``croissant/COHORT.json`` -> its content.

    Raises
    ------
    UsageError
        If the run has measured no public release.
    """
    found: dict[str, str] = {}
    for record in records:
        cohort, card = record.cohort, cards.get(record.cohort.id)
        if card is None or card.access == "private" or cohort.private or cohort.simulated:
            continue
        content = json.dumps(_described(record, card, roots.get(cohort.id)), indent=2, ensure_ascii=False)
        found.setdefault(f"croissant/{cohort.id}.json", content + "\n")
    if not found:
        raise UsageError("The run has measured no public release, and nothing else is described.")
    return found


def _described(record: ResultRecord, card: CohortCard, root: Path | None) -> dict[str, Any]:
    size = "" if card.records is None else f" The release has {count(card.records)} records."
    where = f" Country: {card.country}." if card.country else ""
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": card.name,
        "description": (
            f"{card.name}: 12-lead electrocardiograms with diagnostic statements.{size}{where} As measured: "
            f"{copy_size(record.cohort, record.records)}, fingerprint {record.cohort.fingerprint}."
        ),
        "identifier": card.id,
        "version": record.cohort.version,
        "url": card.url,
        **({} if card.licence == NOT_STATED else {"license": card.licence}),
        "citeAs": card.citation,
        "conditionsOfAccess": card.access,
        "isLiveDataset": False,
        "keywords": ["ECG", "12-lead", "electrocardiography"],
        "distribution": distribution(card.id, root),
    }
