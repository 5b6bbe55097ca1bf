"""Internal, external or unknown follows from what the cards state, in both directions, one step."""

from __future__ import annotations

from benchmark.contamination import relation, sharing
from cohorts.catalogue import all_cohorts

CARDS = {name: cohort.card for name, cohort in all_cohorts().items()}


def test_a_renamed_copy_is_internal_to_a_model_of_the_original() -> None:
    assert relation(("ptb-xl",), "challenge-ptb-xl", CARDS) == "internal"
    assert relation(("challenge-ptb-xl",), "ptb-xl", CARDS) == "internal"


def test_other_cohorts_are_external() -> None:
    for cohort in ("georgia", "cpsc-2018", "cpsc-2018-extra", "chapman-shaoxing", "ningbo", "ptb", "incart"):
        assert relation(("ptb-xl",), cohort, CARDS) == "external", cohort
    assert relation((), "ptb-xl", CARDS) == "external"


def test_undisclosed_is_unknown() -> None:
    assert relation("undisclosed", "georgia", CARDS) == "unknown"


def test_sharing_is_symmetric() -> None:
    for a in CARDS:
        for b in sharing(a, CARDS):
            assert a in sharing(b, CARDS)
