"""Model cards for hubs: what their front matter holds, and what never gets into it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from benchmark.report.papers.hub import hub_cards
from cohorts.errors import UsageError
from tests.benchmark.report.report_factory import record

HOSTILE = "x: [1]\n---\n&a !!python/object:os.system"


def front_matter(card: str) -> dict[str, Any]:
    _, head, body = card.split("---\n", 2)
    assert body.strip().startswith("# ")
    loaded = yaml.safe_load(head)
    assert isinstance(loaded, dict)
    return loaded


def test_a_card_has_a_model_index_with_tasks_datasets_and_values() -> None:
    one = record("net", "georgia", {"AF": 0.9, "AFL": 0.7, "LBBB": None})
    cards = hub_cards([record("net", "ptb-xl", relation="internal"), one])
    assert list(cards) == ["hub/net/README.md"]
    head = front_matter(cards["hub/net/README.md"])
    assert "&id" not in cards["hub/net/README.md"]  # a hub may not read references
    assert head["license"] == "mit"
    [index] = head["model-index"]
    assert index["name"] == "net"
    [result] = index["results"]
    assert set(result) == {"task", "dataset", "metrics"}
    assert all(result["task"][field] for field in ("type", "name"))
    assert result["dataset"]["type"] == "georgia"
    assert result["dataset"]["args"]["relation"] == "external"
    values = {metric["name"]: metric["value"] for metric in result["metrics"]}
    assert values == {
        "Macro AUROC, external": one.evaluation.macro.auroc.value,
        "Macro AUPRC, external": one.evaluation.macro.auprc.value,
        "AF AUROC, external": 0.9,
        "AFL AUROC, external": 0.7,
    }
    assert {metric["type"] for metric in result["metrics"]} == {"roc_auc", "average_precision"}
    args = result["metrics"][0]["args"]
    assert (args["n"], args["resamples"], args["seed"], args["groups"]) == (100, 1000, 7, 90)
    assert "ptb-xl, as\\_is (internal)" in cards["hub/net/README.md"]


def test_simulated_is_in_the_name_of_dataset_and_metric() -> None:
    [card] = hub_cards([record("net", "georgia", simulated=True)]).values()
    [result] = front_matter(card)["model-index"][0]["results"]
    assert "simulated" in result["dataset"]["name"]
    assert result["dataset"]["type"] == "georgia-simulated"
    assert all("simulated" in metric["name"] for metric in result["metrics"])
    assert "not from patients" in card


def test_private_cohorts_and_what_is_not_external_stay_out() -> None:
    mine = record("net", "our-ward", facts={"private": True})
    [card] = hub_cards([mine, record("net", "georgia")]).values()
    assert "our-ward" not in card.lower()
    assert "results on private cohorts" in card
    with pytest.raises(UsageError, match="No model of the run"):
        hub_cards([mine, record("net", "georgia", relation="unknown")])


def test_what_a_stranger_wrote_stays_text() -> None:
    one = record("net", "georgia", facts={"name": HOSTILE}, card={"description": HOSTILE, "licence": HOSTILE})
    [card] = hub_cards([one]).values()
    head = front_matter(card)
    assert head["model-index"][0]["results"][0]["dataset"]["name"] == " ".join(HOSTILE.split())
    assert "license" not in head
