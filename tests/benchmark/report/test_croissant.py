"""Croissant descriptions: what stands in them, and that the reference implementation takes them."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from benchmark.report.papers.croissant import croissants
from cohorts.catalogue import cohort_cards
from cohorts.errors import UsageError
from tests.benchmark.report.report_factory import record

REQUIRED = {"@context", "@type", "conformsTo", "name", "description", "license", "url", "version", "citeAs"}


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    """The description of one cohort."""
    cells = [record("net", "georgia"), record("other", "georgia")]
    [(name, content)] = croissants(cells, cohort_cards()).items()
    assert name == "croissant/georgia.json"
    loaded: dict[str, Any] = json.loads(content)
    return loaded


def test_a_release_is_described_from_its_card(described: dict[str, Any]) -> None:
    card = cohort_cards()["georgia"]
    assert set(described) >= REQUIRED
    assert (described["name"], described["license"], described["url"]) == (card.name, card.licence, card.url)
    assert "10,344 records" in described["description"]
    assert "fingerprint f00d" in described["description"]


def test_simulated_private_and_unknown_cohorts_are_not_described() -> None:
    others = [
        record("net", "sph", simulated=True),
        record("net", "ptb-xl", facts={"private": True}),
        record("net", "our-ward"),
    ]
    assert list(croissants([*others, record("net", "georgia")], cohort_cards())) == ["croissant/georgia.json"]
    with pytest.raises(UsageError, match="no public release"):
        croissants(others, cohort_cards())


@pytest.mark.filterwarnings("ignore")
def test_the_reference_implementation_takes_it(
    described: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mlcroissant = pytest.importorskip("mlcroissant")
    (tmp_path / "georgia.json").write_text(json.dumps(described))
    with caplog.at_level(logging.WARNING):
        dataset = mlcroissant.Dataset(tmp_path / "georgia.json")
    assert not dataset.metadata.ctx.issues.errors
    assert dataset.metadata.name == described["name"]
    assert "context" not in caplog.text
    untyped = {term: value for term, value in described.items() if term != "@type"}
    (tmp_path / "georgia.json").write_text(json.dumps(untyped))
    with pytest.raises(mlcroissant.ValidationError):
        mlcroissant.Dataset(tmp_path / "georgia.json")
