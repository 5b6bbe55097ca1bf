"""Whatever is said to decide a label, the label is the one that the ontology gives."""

from __future__ import annotations

import random

import numpy as np
import pytest

from cohorts.catalogue import all_cohorts
from cohorts.ontology.ontology import load_ontology
from cohorts.ontology.reasons import Reasons
from cohorts.tasks import all_tasks
from cohorts.tasks.reasons import TaskReasons

ONTOLOGY = load_ontology()
COHORTS = {name: cohort.card for name, cohort in all_cohorts().items()}


def some_records(codes: list[str], seed: str, count: int = 60) -> list[tuple[str, ...]]:
    """Records of up to three codes, some with a modifier, one that nobody knows, and one without any."""
    draw = random.Random(seed)
    plain = [code for code in codes if not code.startswith("+")]
    modifiers = [code for code in codes if code.startswith("+")] or [""]
    found = [tuple(draw.sample(plain, min(len(plain), draw.randint(1, 3)))) for _ in range(count)]
    modified = [(code + draw.choice(modifiers), *rest) for code, *rest in found[: count // 3]]
    return [*found, *modified, (), ("nobody knows this",), (found[0][0], "nobody knows this")]


@pytest.mark.parametrize("cohort", sorted(COHORTS))
def test_the_reason_gives_the_label(cohort: str) -> None:
    vocabulary = COHORTS[cohort].vocabulary
    records = some_records(ONTOLOGY.rows(cohort, vocabulary)["code"].unique().tolist(), cohort)
    labels = ONTOLOGY.labels(cohort, vocabulary, records)
    annotated = ONTOLOGY.coverage(cohort) == "annotated"
    asked = random.Random(cohort).sample(list(labels.columns[annotated]), min(6, int(annotated.sum())))
    for concept in dict.fromkeys([*asked, "BIFB", labels.columns[0]]):
        why = Reasons(ONTOLOGY, cohort, vocabulary, concept)
        found = [why.of(codes) for codes in records]
        assert [reason.label for reason in found] == labels[concept].tolist(), concept
        for codes, reason in zip(records, found, strict=True):
            assert set(reason.codes) <= set(codes)
            if reason.by in ("a code says yes", "a code leaves it open"):
                assert all(why.meanings(code) for code in reason.codes), (concept, reason)


def test_what_decides_is_named() -> None:
    why = Reasons(ONTOLOGY, "ptb-xl", "scp", "AF")
    reasons = [why.of(codes) for codes in [("AFIB", "LVH+100"), ("SR",), ("LVH",), ("AFIB", "odd"), ("odd",)]]
    assert [(reason.label, reason.by, reason.codes) for reason in reasons] == [
        (1, "a code says yes", ("AFIB",)),
        (0, "no code speaks of it", ()),
        (-1, "a question is not answered", ()),
        (1, "a code says yes", ("AFIB",)),
        (-1, "an unknown code leaves everything open", ("odd",)),
    ]
    assert "rhythm" in reasons[2].note
    assert [(row.concept, row.relation) for row in why.meanings("AFIB")] == [("AF", "same")]
    assert why.meanings("SR") == []
    assert why.name("AFIB") == "atrial fibrillation"


def test_a_child_says_yes_for_its_parent_and_parts_decide_what_is_computed() -> None:
    parent = Reasons(ONTOLOGY, "ptb-xl", "scp", "BBB_ANY")
    assert parent.of(("CLBBB",)).label == 1
    assert ("LBBB", "same") in {(row.concept, row.relation) for row in parent.meanings("CLBBB")}
    both = Reasons(ONTOLOGY, "ptb-xl", "scp", "BIFB")
    assert both.of(("CRBBB", "LAFB")) == (1, "all of its parts are positive", ("CRBBB", "LAFB"), "")
    assert both.of(("CRBBB",)).by == "one of its parts is negative"


def test_an_uncertain_modifier_is_told() -> None:
    why = Reasons(ONTOLOGY, "sph", "aha", "AF")
    assert [row.relation for row in why.meanings("50")] == ["same"]
    assert {row.relation for row in why.meanings("50+312")} == {"uncertain", "ambiguous"}
    assert why.of(("50+312",))[:3] == (-1, "a code leaves it open", ("50+312",))


@pytest.mark.parametrize("name", sorted(all_tasks()))
def test_a_published_task_has_reasons_too(name: str) -> None:
    task = all_tasks()[name]
    records = some_records([*task.means, "odd"], name)
    labels = task.labels(records)
    for column in task.classes:
        why = TaskReasons(task, column)
        found = np.array([why.of(codes).label for codes in records])
        assert (found == labels[column]).all(), column
    assert TaskReasons(task, "no class").of(records[0]).label == -1
