"""Internal, external or unknown follows from what the cards state, in both directions, one step."""

from __future__ import annotations

from benchmark.models.contamination import holders, relation, relation_of, unstated_training
from benchmark.models.model_card import ModelCard
from cohorts.catalogue import all_cohorts, sharing


def card(name: str, *trained_on: str) -> ModelCard:
    return ModelCard(name=name, outputs=("AF",), trained_on=trained_on)


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


def test_the_whole_challenge_makes_its_originals_internal() -> None:
    for cohort in ("ptb-xl", "ptbdb", "incartdb", "ecg-arrhythmia", "georgia"):
        assert relation_of(card("ecg-fm"), cohort) == "internal", cohort
    assert relation_of(card("ecg-fm"), "sph") == "external"


def test_a_card_that_claims_less_is_contradicted_and_its_relation_is_the_worse_one() -> None:
    silent = card("merl", "ptb-xl")
    assert relation_of(silent, "mimic-iv-ecg") == "internal"
    assert relation_of(silent, "ptb-xl") == "internal"
    assert relation_of(silent, "georgia") == "external"
    sentence = unstated_training(silent)
    assert sentence is not None
    assert sentence.startswith("merl is known to have been trained on mimic-iv-ecg (")
    assert sentence.endswith("; its card does not say so.")
    assert unstated_training(card("merl", "mimic-iv-ecg", "ptb-xl")) is None
    assert unstated_training(card("ecg-jepa", "chapman-shaoxing", "ningbo", "code-15")) is None
    assert unstated_training(card("my-model")) is None


def test_weights_made_by_the_suite_are_not_the_published_ones() -> None:
    ours = card("merl", "ptb-xl")
    assert relation_of(ours, "mimic-iv-ecg", pretrained_here=True) == "external"
    assert unstated_training(ours, pretrained_here=True) is None


def test_what_a_source_leaves_open_is_unknown() -> None:
    tuned = card("hubert-ecg-sft-cardiolearning-base")
    assert relation_of(tuned, "sph") == "internal"
    assert relation_of(tuned, "mimic-iv-ecg") == "unknown"
    assert relation_of(card("hubert-ecg"), "georgia") == "unknown"
    assert relation_of(card("hubert-ecg", "georgia"), "georgia") == "internal"
    sentence = unstated_training(card("hubert-ecg"))
    assert sentence is not None
    assert "claims to" in sentence
    undisclosed = ModelCard(name="merl", outputs=("AF",), trained_on="undisclosed")
    assert relation_of(undisclosed, "mimic-iv-ecg") == "internal"
    assert relation_of(undisclosed, "georgia") == "unknown"
    assert unstated_training(undisclosed) is None


def test_recordings_that_were_found_make_a_cohort_internal() -> None:
    assert relation(("ptb-xl",), "my-hospital") == "external"
    assert relation(("ptb-xl",), "my-hospital", {"ptb-xl"}) == "internal"
    assert relation(("georgia",), "my-hospital", {"ptb-xl"}) == "external"
    assert relation("undisclosed", "my-hospital", {"ptb-xl"}) == "unknown"


def test_what_may_hold_the_recordings_too_counts_unless_it_was_looked_through() -> None:
    assert holders([]) == set()
    assert holders(["ptb-xl"]) >= {"ptb-xl", "challenge-ptb-xl"}
    assert "challenge-ptb-xl" not in holders(["ptb-xl"], ["challenge-ptb-xl"])
    assert holders(["ptb-xl"], ["ptb-xl"]) >= {"ptb-xl"}  # in one part of it, and not in another
    assert "georgia" not in holders(["ptb-xl"])
