"""Internal, external or unknown follows from what the cards state, in both directions, one step."""

from __future__ import annotations

from benchmark.models.contamination import relation
from cohorts.catalogue import all_cohorts, sharing


def test_a_renamed_copy_is_internal_to_a_model_of_the_original() -> None:
    assert relation(("ptb-xl",), "challenge-ptb-xl") == "internal"
    assert relation(("challenge-ptb-xl",), "ptb-xl") == "internal"


def test_other_cohorts_are_external() -> None:
    for cohort in ("georgia", "cpsc-2018", "cpsc-2018-extra", "chapman-shaoxing", "ningbo", "ptb", "incart"):
        assert relation(("ptb-xl",), cohort) == "external", cohort
    assert relation((), "ptb-xl") == "external"


def test_undisclosed_is_unknown() -> None:
    assert relation("undisclosed", "georgia") == "unknown"


def test_sharing_is_symmetric() -> None:
    for a in all_cohorts():
        for b in sharing(a):
            assert a in sharing(b)
