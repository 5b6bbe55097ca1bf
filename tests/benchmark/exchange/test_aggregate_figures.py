"""What an aggregate tells of records made by hand: every word that is not meant to be told is a secret."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmark.exchange.summarising import aggregate_of
from benchmark.metrics.cell.evaluation import Resampled
from benchmark.metrics.cell.operating_points import Called
from benchmark.metrics.cell.subgroups import Group, GroupConcept, Grouping
from benchmark.models.model_card import ModelCard
from benchmark.records.record import ResultRecord
from cohorts.catalogue import find_cohort
from tests.benchmark.report.report_factory import concept, drawn, estimate, record, statistics

KEY = b"the key of this site"


@pytest.fixture(autouse=True)
def private(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("georgia", "ptb-xl"):
        cohort = find_cohort(name)
        monkeypatch.setattr(cohort, "card", cohort.card.model_copy(update={"access": "private"}))


def sick(**changes: Any) -> tuple[ResultRecord, Resampled]:
    """A record that has something to hide in every field, and its resamples."""
    made = record(
        cohort="georgia",
        aurocs={"AF": concept(0.912345678, positives=13, n=97), "LBBB": concept(0.8123456789, 40, 98)},
        skipped={"patient Jane Roe of 2019-03-04: /mnt/ward/ecg7.dea is empty": "JR-0007"},
        card={"description": f"read from {Path.home()}/secret/weights.pt", "citation": "Doe 2020"},
    )
    provenance = made.provenance.model_copy(
        update={"platform": "Linux of-the-ward", "device": "cuda of-the-ward", "commit": "c0ffee1234"}
    )
    evaluation = made.evaluation.model_copy(
        update={"notes": ("No prediction was submitted for 3 of 100 records (JR-0007); they are left out.",)}
    )
    return drawn(made.model_copy(update={"provenance": provenance, "evaluation": evaluation} | changes))


def words(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for one in value.values():
            yield from words(one)
    elif isinstance(value, list):
        for one in value:
            yield from words(one)
    elif isinstance(value, str) and value:
        yield value


MEANT = (
    "model",
    "protocol",
    "relation",
    "evaluation.macro.concepts",
    "cohort.id",
    "cohort.name",
    "ontology.version",
)
"""Fields of a record whose words are told."""


def test_no_word_of_a_record_is_told_that_is_not_meant_to_be() -> None:
    made, resampled = sick()
    told = aggregate_of(made, resampled, 10, KEY).model_dump_json()
    content = made.model_dump(mode="json")
    for field in MEANT:
        *above, last = field.split(".")
        part = content
        for name in above:
            part = part[name]
        del part[last]
    for name in ("packages", "python", "leadboard"):
        del content["provenance"][name]
    secrets = {
        word
        for word in words(content)
        if word not in ("all", "records", "patients", "undefined", made.cohort.id)
    }
    assert {"JR-0007", "c0ffee1234", "2025-01-01T00:00:00+00:00", "Linux of-the-ward", "f00d"} <= secrets
    assert {
        secret for secret in secrets if f'"{secret}"' in told or (len(secret) > 4 and secret in told)
    } == set()


def test_the_card_travels_without_paths() -> None:
    made, _ = sick()
    from benchmark.exchange.identity import travelling

    card = travelling(made.model)
    assert str(Path.home()) not in card.description
    assert card.description.startswith("read from ")
    assert card.citation == "Doe 2020"
    assert isinstance(card, ModelCard)


def single(aurocs: Any, **changes: Any) -> ResultRecord:
    """A record of Georgia with one recording a patient."""
    made = record(cohort="georgia", aurocs=aurocs, **changes)
    settings = made.evaluation.bootstrap.model_copy(update={"groups": 100})
    return made.model_copy(update={"evaluation": made.evaluation.model_copy(update={"bootstrap": settings})})


def test_a_concept_with_few_positives_or_negatives_has_no_figures() -> None:
    made, resampled = drawn(
        single({"AF": concept(0.9, 9, 100), "LBBB": concept(0.8, 91, 100), "LVH": concept(0.7, 20, 100)})
    )
    told = aggregate_of(made, resampled, 10, KEY)
    assert (told.concepts["AF"].positives, told.concepts["AF"].auroc) == ("< 10", None)
    assert told.concepts["LBBB"].auroc is None
    assert told.concepts["LBBB"].auprc is None
    assert told.concepts["LVH"].auroc is not None
    assert told.macro.concepts == ("LVH",)


def test_the_macro_average_does_not_tell_what_its_concepts_do_not() -> None:
    aurocs = {"AF": concept(0.95, 15, 100), "LBBB": concept(0.7, 40, 100), "LVH": concept(0.8, 50, 100)}
    made, resampled = drawn(single(aurocs))
    told = aggregate_of(made, resampled, 20, KEY)
    assert told.macro.concepts == ("LBBB", "LVH")
    assert told.macro.minimum == 20
    assert told.macro.auroc is not None
    assert told.macro.auroc.value == pytest.approx(0.75)
    assert told.macro.auprc is not None
    assert told.macro.auprc.value == pytest.approx((0.35 + 0.4) / 2, abs=0.0051)
    spread = float(resampled.auroc[:, 1:].mean(axis=1).std(ddof=1))
    assert told.macro.auroc.standard_error == pytest.approx(spread, rel=0.05)
    nothing = aggregate_of(made, resampled, 50, KEY)
    assert nothing.macro.concepts == ("LVH",)
    few = {"AF": concept(0.95, 15, 100)}
    assert aggregate_of(*drawn(single(few)), 20, KEY).macro.auroc is None


def test_a_mean_has_no_more_decimals_than_the_figures_it_is_of() -> None:
    """Two figures of two decimals and their mean of three would give the third of one of them away."""
    fine, coarse = concept(0.91234, 500, 1_000), concept(0.81234, 12, 60)
    assert aggregate_of(*drawn(single({"AF": fine})), 10, KEY).macro.auroc.value == 0.912
    both = aggregate_of(*drawn(single({"AF": fine, "LBBB": coarse, "LVH": fine})), 10, KEY)
    assert both.macro.auroc.value == round(both.macro.auroc.value, 2)
    assert both.macro.auprc.value == round(both.macro.auprc.value, 2)


def called(tp: int, fp: int, fn: int, tn: int) -> Called:
    rates = {"sensitivity": tp / (tp + fn), "specificity": tn / (tn + fp)}
    rates |= {"ppv": tp / (tp + fp), "npv": tn / (tn + fn), "f1": 2 * tp / (2 * tp + fp + fn)}
    estimates = {name: estimate(value) for name, value in rates.items()}
    return Called(threshold=0.123456789, tp=tp, fp=fp, fn=fn, tn=tn, **estimates)


@pytest.mark.parametrize(
    ("counts_", "given"),
    [
        ((30, 20, 12, 300), {"sensitivity", "specificity", "ppv", "npv"}),
        ((40, 20, 2, 300), {"specificity", "ppv"}),
        ((42, 20, 0, 300), {"specificity", "ppv"}),
        ((30, 9, 12, 311), {"sensitivity", "npv"}),
        ((30, 0, 12, 320), {"sensitivity", "npv"}),
    ],
)
def test_a_rate_is_given_only_where_both_its_counts_could_be(
    counts_: tuple[int, int, int, int], given: set[str]
) -> None:
    at = {"youden": called(*counts_), "sensitivity 90 %": called(*counts_)}
    found = statistics(calls={"AF": at}, why_no_calls=None)
    n = sum(counts_)
    facts = {"AF": concept(0.9, counts_[0] + counts_[2], n)}
    made, resampled = drawn(single(facts, statistics=found))
    call = aggregate_of(made, resampled, 10, KEY).concepts["AF"].call
    assert call is not None
    shown = call.model_dump(exclude_none=True)
    assert set(shown) == given
    for rate in shown.values():
        assert rate["value"] == round(rate["value"], 2)
        assert set(rate) == {"value"}


def test_subgroups_are_given_where_all_of_their_counts_could_be() -> None:
    def group(positives: int, n: int) -> Group:
        one = GroupConcept(auroc=estimate(0.87654), n=n, positives=positives)
        return Group(records=n, macro=estimate(0.87654), concepts={"AF": one})

    groups = {"female": group(30, 60), "male": group(8, 37), "unknown": group(2, 3)}
    sex = Grouping(common=("AF",), groups=groups, gap=None, concept_gaps={})
    strange = Grouping(common=(), groups={"Ward of Dr Roe": group(30, 60)}, gap=None, concept_gaps={})
    found = statistics(subgroups={"sex": sex, "ward": strange})
    made, resampled = drawn(single({"AF": concept(0.9, 40, 100)}, statistics=found))
    told = aggregate_of(made, resampled, 10, KEY)
    assert set(told.subgroups) == {"sex"}
    shown = told.subgroups["sex"].groups
    assert [shown[name].records for name in shown] == [60, 30, "< 10"]
    assert [shown[name].macro is None for name in shown] == [False, True, True]
    assert shown["male"].concepts["AF"].positives == "< 10"
    assert shown["male"].concepts["AF"].auroc is None
    assert "Roe" not in told.model_dump_json()


def test_many_records_of_few_patients_are_withheld() -> None:
    """A hundred records of twenty patients: thirty positive records may be of three."""
    made, resampled = drawn(record(cohort="georgia", aurocs={"AF": concept(0.9, 30, 100)}))
    settings = made.evaluation.bootstrap.model_copy(update={"groups": 20})
    evaluation = made.evaluation.model_copy(update={"bootstrap": settings})
    told = aggregate_of(made.model_copy(update={"evaluation": evaluation}), resampled, 10, KEY)
    assert told.records.patients == 20
    assert told.records.scored == 100
    assert told.concepts["AF"].positives == "withheld"
    assert told.concepts["AF"].auroc is None
    metrics = evaluation.concepts["AF"].model_copy(
        update={"caution": "9 patients with a positive: with fewer than 50 the interval is too narrow."}
    )
    stated = evaluation.model_copy(update={"concepts": {"AF": metrics}})
    told = aggregate_of(made.model_copy(update={"evaluation": stated}), resampled, 10, KEY)
    assert told.concepts["AF"].positives == "withheld"
