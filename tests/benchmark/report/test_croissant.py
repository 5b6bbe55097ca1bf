"""Croissant descriptions: what stands in them, and that the reference implementation takes them."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from benchmark.report.papers.croissant import croissants
from benchmark.report.papers.croissant_files import distribution
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


SUMS = "".join(
    f"{at:064x} {name}\n"
    for at, name in enumerate(
        ["LICENSE.txt", "training/georgia/g1/E00001.hea", "training/ptb-xl/x.hea"]
        + [f"training/georgia/g1/E{at:05}.mat" for at in range(40)]
    )
)


def test_the_publishers_list_gives_files_their_sums_and_sets_of_recordings(tmp_path: Path) -> None:
    root = tmp_path / "training" / "georgia"
    root.mkdir(parents=True)
    (tmp_path / "SHA256SUMS.txt").write_text(SUMS)
    found = {one["@id"]: one for one in distribution("georgia", root)}
    assert set(found) == {"LICENSE.txt", "training/georgia/g1/E00001.hea", "files.mat"}
    one = found["training/georgia/g1/E00001.hea"]
    assert one["sha256"] == f"{1:064x}"
    address = "https://physionet.org/files/challenge-2021/1.0.3/training/georgia/g1/E00001.hea"
    assert (one["contentUrl"], one["encodingFormat"]) == (address, "text/plain")
    assert found["files.mat"]["includes"] == ["training/georgia/g1/**/*.mat"]
    assert found["files.mat"]["description"].startswith("40 files")


def test_without_the_list_there_are_the_sums_that_are_known_and_no_others(tmp_path: Path) -> None:
    [table, archives] = distribution("code-15", tmp_path)
    assert table["md5"] == "0107516d3f63864498fb77d15799cc95"
    assert table["contentUrl"] == "https://zenodo.org/records/4916206/files/exams.csv"
    assert archives["includes"] == ["exams_part*.zip"]
    assert "sha256" not in archives
    [everything] = distribution("ptb-xl", None)
    assert everything["includes"] == ["**/*"]


@pytest.mark.parametrize("cohort", sorted(cohort_cards()))
def test_every_release_can_be_listed(cohort: str) -> None:
    found = distribution(cohort, None)
    assert found
    assert len({one["@id"] for one in found}) == len(found)
    for one in found:
        assert one["@type"] == "cr:FileSet" or {"md5", "sha256"} & set(one)


@pytest.mark.parametrize("cohort", ["georgia", "code-15", "zzu-pecg", "sph", "ludb"])
@pytest.mark.filterwarnings("ignore")
def test_the_reference_implementation_takes_the_files(cohort: str, tmp_path: Path) -> None:
    mlcroissant = pytest.importorskip("mlcroissant")
    (tmp_path / "SHA256SUMS.txt").write_text(SUMS)
    roots = {"georgia": tmp_path / "training" / "georgia"}
    [content] = croissants([record("net", cohort)], cohort_cards(), roots).values()
    (tmp_path / "it.json").write_text(content)
    dataset = mlcroissant.Dataset(tmp_path / "it.json")
    assert not dataset.metadata.ctx.issues.errors
    assert {one.id for one in dataset.metadata.distribution} == {
        one["@id"] for one in json.loads(content)["distribution"]
    }


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
