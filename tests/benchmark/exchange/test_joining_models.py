"""Which results are of one model: not those of one protocol, but those of one code and one set of weights."""

from __future__ import annotations

from typing import Any

import pytest

from benchmark.exchange.gathering import Told
from benchmark.exchange.identity import identity_of
from benchmark.exchange.joining import Joined
from benchmark.exchange.summarising import aggregate_of
from benchmark.models.model_files import Origin
from benchmark.records.fit_seeds import fit_seeds
from benchmark.records.record import Pretraining, PretrainingSource, ResultRecord, Training
from tests.benchmark.exchange.test_joining import KEY, cell, joined, names, told
from tests.benchmark.report.report_factory import drawn, record

PUBLISHED = Origin(code="c0de", weights="aa")
AS_IT_COMES: dict[str, Any] = {"trained_on": ("sph",)}


def fit(seed: int = 0, source: str = "ptb-xl", percent: int = 10, key: str = "k") -> Training:
    return Training(
        source=source,
        fingerprint="f00d",
        percent=percent,
        records=100,
        validation_records=10,
        seed=seed,
        key=f"{key}{seed}",
    )


def as_is(cohort: str = "georgia", origin: Origin | None = PUBLISHED, **changes: Any) -> ResultRecord:
    weights = {"weights_sha256": ("aa",)} | changes
    return record("net", cohort, protocol="as-is", card=AS_IT_COMES, origin=origin, **weights)


def fitted(
    protocol: str,
    *fits: Training,
    cohort: str = "georgia",
    weights: tuple[str, ...] = ("bb",),
    origin: Origin | None = PUBLISHED,
    **changes: Any,
) -> ResultRecord:
    """Make a result of a fit: its card is as `benchmark.protocols.training` makes it."""
    sources = tuple(one.source for one in fits)
    card = {"trained_on": tuple(dict.fromkeys(("sph", *sources))), "probabilities": True}
    return record(
        "net",
        cohort,
        protocol=protocol,
        card=card,
        training=fits,
        weights_sha256=weights,
        origin=origin,
        **changes,
    )


def models(board: Joined) -> list[str]:
    return [model for model, _, _ in names(board)]


@pytest.mark.parametrize("origin", [PUBLISHED, None], ids=["stated", "older records"])
def test_one_model_under_three_protocols_has_one_name(origin: Origin | None) -> None:
    board = joined(
        cell(as_is(origin=origin), "a"),
        cell(fitted("linear-probe-10", fit(0), fit(1), fit(2), weights=("b", "c", "d"), origin=origin), "b"),
        cell(fitted("fine-tune-10", fit(0, key="t"), weights=("e",), origin=origin), "c"),
    )
    assert names(board) == [
        (("net"), protocol, "georgia") for protocol in ("as-is", "linear-probe-10", "fine-tune-10")
    ]
    assert board.plan.warnings == ()


def test_what_a_hospital_tells_of_the_same_model_has_its_name() -> None:
    probe = fitted("linear-probe-10", fit(), cohort="my-hospital")
    board = joined(cell(as_is(), "a"), told(probe, "b"), told(as_is("my-hospital"), "c"))
    assert models(board) == ["net"]
    assert [one.cell.model for one in board.told] == ["net", "net"]


@pytest.mark.parametrize(
    "other",
    [
        as_is("ningbo", Origin(code="d1ff", weights="aa")),
        as_is("ningbo", Origin(code="c0de", weights="zz"), weights_sha256=("zz",)),
        fitted("linear-probe-10", fit(), cohort="ningbo", origin=Origin(code="d1ff", weights="aa")),
        fitted("linear-probe-10", fit(), cohort="ningbo", origin=Origin(code="c0de", weights="zz")),
    ],
    ids=["code", "weights", "code under a probe", "weights under a probe"],
)
def test_other_code_or_other_weights_of_its_own_make_another_model(other: ResultRecord) -> None:
    board = joined(cell(as_is(), "a"), cell(other, "b"))
    first, second = models(board)
    assert first != second
    assert first.startswith("net [")
    assert second.startswith("net [")
    (said,) = board.plan.warnings
    assert said == (
        f"2 models of different card, code or weights are called net: {first} is from a; {second} is from b."
    )


def test_another_environment_makes_another_model() -> None:
    def there(torch: str, cohort: str) -> ResultRecord:
        one = as_is(cohort)
        packages = one.provenance.packages | {"model's torch": torch}
        return one.model_copy(update={"provenance": one.provenance.model_copy(update={"packages": packages})})

    same = joined(cell(there("2.5.0", "georgia")), cell(there("2.5.0", "ningbo")), cell(as_is("sph")))
    assert set(models(same)) == {"net"}
    apart = joined(cell(there("2.5.0", "georgia")), cell(there("1.13.1", "ningbo")))
    assert len(set(models(apart))) == 2
    away = told(there("1.13.1", "my-hospital"))
    assert joined(cell(there("2.5.0", "georgia")), away).told[0].cell.model.startswith("net [")


def test_what_is_not_stated_is_taken_for_no_difference_unless_it_could_be_either() -> None:
    here, there = as_is("georgia"), as_is("ningbo", Origin(code="d1ff", weights="aa"))
    older = as_is("sph", None)
    assert set(models(joined(cell(here), cell(older)))) == {"net"}
    assert len(set(models(joined(cell(here), cell(there), cell(older))))) == 3


def test_fits_of_other_seeds_are_rows_of_their_own() -> None:
    board = joined(
        cell(as_is(), "a"),
        cell(fitted("linear-probe-10", fit(0), weights=("b",)), "a"),
        cell(fitted("linear-probe-100", fit(0, percent=100), weights=("c",)), "a"),
        cell(fitted("linear-probe-10", fit(7), weights=("d",)), "b"),
    )
    assert names(board) == [
        ("net", "as-is", "georgia"),
        ("net [seed 0]", "linear-probe-10", "georgia"),
        ("net [seed 0]", "linear-probe-100", "georgia"),
        ("net [seed 7]", "linear-probe-10", "georgia"),
    ]
    assert board.plan.warnings == (
        "net was fitted in several ways under linear-probe-10: net is from a; net [seed 0] is from a; "
        "net [seed 7] is from b.",
    )


def test_fits_of_more_seeds_are_a_row_of_their_own_under_one_name() -> None:
    """One run has seeds 0 and 1, another seed 0 alone; of ten per cent of the labels there are six fits."""
    seeds = fit_seeds(10, (0, 1))
    more = fitted("linear-probe-10", *map(fit, seeds), weights=tuple(map(str, seeds)))
    all_labels = fitted(
        "linear-probe-100", fit(0, percent=100), fit(1, percent=100), weights=("x", "y"), cohort="georgia"
    )
    one = fitted("linear-probe-10", *map(fit, seeds[:3]), weights=tuple(map(str, seeds[:3])))
    board = joined(cell(more, "a"), cell(all_labels, "a"), cell(one, "b"))
    assert names(board) == [
        ("net [seed 0 and 1 more]", "linear-probe-10", "georgia"),
        ("net [seed 0 and 1 more]", "linear-probe-100", "georgia"),
        ("net [seed 0]", "linear-probe-10", "georgia"),
    ]


def test_fits_to_other_cohorts_are_rows_of_their_own() -> None:
    two = [fit(), fit(source="sph")]
    board = joined(*(cell(fitted("fine-tune-10", one, weights=(one.source,))) for one in two))
    assert models(board) == ["net [on ptb-xl]", "net [on sph]"]
    four = [*two, fit(1), fit(1, "sph")]
    board = joined(*(cell(fitted("fine-tune-10", one, weights=(str(at),))) for at, one in enumerate(four)))
    assert models(board) == [
        "net [on ptb-xl, seed 0]",
        "net [on sph, seed 0]",
        "net [on ptb-xl, seed 1]",
        "net [on sph, seed 1]",
    ]


def test_a_training_that_ended_elsewhere_is_another_row_and_a_probe_is_not() -> None:
    """Trainings of one seed part on another processor; a regression has one optimum."""
    here, there = (cell(fitted("fine-tune-10", fit(), weights=(one,)), one) for one in ("b", "c"))
    apart = models(joined(here, there))
    assert len(set(apart)) == 2
    assert all(model.startswith("net [") for model in apart)
    probes = [fitted("linear-probe-10", fit(), cohort=name, weights=(name,)) for name in ("georgia", "sph")]
    assert models(joined(*map(cell, probes))) == ["net", "net"]
    other = fitted("linear-probe-10", fit(key="other data"), cohort="sph", weights=("c",))
    assert len(set(models(joined(cell(probes[0]), cell(other))))) == 2


def test_fits_of_other_seeds_that_gave_the_same_weights_are_one() -> None:
    """With all labels given, the seed of a probe decides nothing."""
    same = [
        cell(fitted("linear-probe-100", fit(0, percent=100)), "a"),
        cell(fitted("linear-probe-100", fit(1, percent=100), cohort="ningbo"), "b"),
    ]
    several = fitted(
        "linear-probe-100", *(fit(seed, percent=100) for seed in range(3)), cohort="sph", weights=("bb",) * 3
    )
    board = joined(*same, cell(several, "c"))
    assert models(board) == ["net", "net", "net"]
    assert board.plan.warnings == ()
    third = fitted("linear-probe-100", fit(2, percent=100), cohort="sph", weights=("c",))
    assert models(joined(*same, cell(third))) == ["net [seed 0]", "net [seed 0]", "net [seed 2]"]


def test_a_model_and_its_fits_are_told_apart_at_once() -> None:
    other = Origin(code="d1ff", weights="aa")
    board = joined(
        *(cell(fitted("linear-probe-10", fit(seed), weights=(str(seed),))) for seed in (0, 1)),
        cell(fitted("linear-probe-10", fit(0), origin=other)),
    )
    first, second, third = models(board)
    assert (first[-9:], second[-9:]) == (", seed 0]", ", seed 1]")
    assert first[:9] == second[:9]
    assert first[:9] != third[:9]
    assert "seed" not in third
    assert (
        "2 models of different card, code or weights are called net, and they were fitted in several ways"
        in (board.plan.warnings[0])
    )


def test_each_published_task_has_a_fit_of_its_own() -> None:
    task = "ptbxl-super"
    own = fit(source=task, percent=100, key="t")
    board = joined(
        cell(fitted("linear-probe-100", fit(percent=100), weights=("b",))),
        cell(fitted("linear-probe-100", own, cohort=task, weights=("c",))),
    )
    assert models(board) == ["net", "net"]


def pretrained(protocol: str, held_out: tuple[str, ...] = (), seed: int = 0, **changes: Any) -> ResultRecord:
    source = PretrainingSource(cohort="ptb-xl", fingerprint="f00d", records=9, validation_records=1)
    before = Pretraining(
        sources=(source,), held_out=held_out, seed=seed, precision="32-true", recipe=None, key=f"{held_out}"
    )
    return record(
        "net", protocol=protocol, pretraining=before, origin=Origin(code="c0de", weights=None), **changes
    )


def test_concepts_that_a_protocol_keeps_from_the_pretraining_make_no_other_model() -> None:
    board = joined(
        cell(pretrained("zero-shot", weights_sha256=("aa",))),
        cell(pretrained("zero-shot-unseen", ("AF",), weights_sha256=("bb",))),
        cell(pretrained("linear-probe-10", training=(fit(),), weights_sha256=("cc",))),
    )
    assert set(models(board)) == {"net"}
    apart = joined(
        cell(pretrained("zero-shot")), cell(pretrained("linear-probe-10", seed=1, training=(fit(),)))
    )
    assert len(set(models(apart))) == 2
    twice = joined(*(cell(pretrained("zero-shot", weights_sha256=(one,))) for one in ("aa", "bb")))
    assert len(set(models(twice))) == 2


def test_the_state_of_a_private_cohort_is_in_no_identity() -> None:
    def learnt_at(fingerprint: str, cohort: str) -> str:
        source = PretrainingSource(cohort=cohort, fingerprint=fingerprint, records=9, validation_records=1)
        before = Pretraining(sources=(source,), held_out=(), seed=0, precision="32-true", key="k")
        return identity_of(record(pretraining=before))

    assert learnt_at("aaaa", "my-hospital") == learnt_at("bbbb", "my-hospital")
    assert learnt_at("aaaa", "ptb-xl") != learnt_at("bbbb", "ptb-xl")


def test_a_strangers_words_do_not_reach_a_name_unread() -> None:
    one, draws = drawn(fitted("fine-tune-10", fit()))
    two = fitted("fine-tune-10", fit(source="ptb-xl\x1b[31m\u202e"), weights=("c",))
    far = Told(aggregate_of(drawn(two)[0], draws, 10, KEY), two.model, "away")
    board = joined(cell((one, draws)), far)
    assert not set(board.told[0].cell.model) & {"\x1b", "\u202e"}
