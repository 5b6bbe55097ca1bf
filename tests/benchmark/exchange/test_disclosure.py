"""What of a count and of a figure may leave: checked by trying to work out what should not be."""

from __future__ import annotations

import stat
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.exchange.disclosure import (
    Disclosure,
    figure,
    find_site_key,
    pseudonym,
    resolution,
    rounded,
    significant,
    site_key,
)
from tests.benchmark.report.report_factory import estimate

MINIMA = st.sampled_from([10, 20, 30, 40, 50])


@given(st.integers(0, 10**7), MINIMA)
def test_a_count_is_a_multiple_or_withheld_and_never_far_off(value: int, minimum: int) -> None:
    given_ = Disclosure(minimum).count(value)
    if value < minimum:
        assert given_ == f"< {minimum}"
    else:
        assert isinstance(given_, int)
        assert given_ % minimum == 0
        assert given_ >= minimum
        assert 0 <= value - given_ < minimum


@given(st.integers(0, 500), st.integers(0, 500), MINIMA)
def test_no_difference_of_two_counts_is_a_small_one(whole: int, part: int, minimum: int) -> None:
    rule = Disclosure(minimum)
    one, other = rule.count(whole + part), rule.count(whole)
    if isinstance(one, int) and isinstance(other, int):
        assert one - other == 0 or one - other >= minimum


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_other_minima_tell_no_more_than_the_finest(one: int, other: int) -> None:
    """Counts that look the same at 10 look the same at every minimum."""
    if Disclosure(10).count(one) == Disclosure(10).count(other):
        for minimum in (20, 30, 40, 50):
            assert Disclosure(minimum).count(one) == Disclosure(minimum).count(other)


def test_zero_looks_like_any_small_count() -> None:
    assert {Disclosure(10).count(value) for value in range(10)} == {"< 10"}


@pytest.mark.parametrize("bucket", [10, 20, 30, 100])
def test_ten_counts_look_the_same(bucket: int) -> None:
    same = [value for value in range(200) if Disclosure(10).count(value) == bucket]
    assert len(same) == 10
    assert same == list(range(same[0], same[-1] + 1))


@given(st.integers(0, 300), st.integers(0, 300), MINIMA)
def test_records_that_may_be_of_few_patients_are_withheld(records: int, repeated: int, minimum: int) -> None:
    given_ = Disclosure(minimum, repeated).count(records)
    if isinstance(given_, int):
        assert records - repeated >= minimum  # even if all repeated records are among these
    assert Disclosure(minimum, repeated).gives(records) == isinstance(given_, int)


def test_patients_decide_where_they_are_known() -> None:
    rule = Disclosure(10, repeated=100)
    assert rule.count(60) == "withheld"
    assert rule.count(60, patients=9) == "withheld"
    assert rule.count(60, patients=10) == 60
    assert rule.count(9, patients=9) == "< 10"


def test_an_auroc_of_two_decimals_fits_every_pair_of_counts() -> None:
    """Whoever knows the value and both rounded counts cannot rule out a single pair of true counts."""
    for positives, negatives in product(range(10, 20), range(10, 30)):
        pairs = 2 * positives * negatives  # a tie is half a pair
        possible = {round(u / pairs, 2) for u in range(pairs + 1)}
        assert possible == {round(at / 100, 2) for at in range(101)}


@pytest.mark.parametrize(("positives", "negatives", "decimals"), [(9, 11, 1), (10, 10, 2), (20, 50, 3)])
def test_decimals_follow_the_number_of_pairs(positives: int, negatives: int, decimals: int) -> None:
    assert resolution(positives, negatives) == decimals
    possible = {
        round(u / (2 * positives * negatives), decimals) for u in range(2 * positives * negatives + 1)
    }
    assert len(possible) == 10**decimals + 1


def test_a_figure_has_the_digits_of_its_uncertainty() -> None:
    exact = estimate(0.912345, width=0.0123456)
    fine = figure(exact, 0.0062999)
    assert fine is not None
    assert (fine.value, fine.low, fine.high, fine.standard_error) == (0.912, 0.9, 0.925, 0.0063)
    coarse = figure(exact, 0.0212)
    assert coarse is not None
    assert (coarse.value, coarse.low, coarse.high) == (0.91, 0.9, 0.92)
    by_interval = figure(estimate(0.912345, width=0.1))
    assert by_interval is not None
    assert (by_interval.value, by_interval.standard_error) == (0.91, None)
    assert figure(estimate(0.912345, width=0.0123456), 0.0062999, most=2) == coarse.model_copy(
        update={"standard_error": 0.0063}
    )
    for half, digits in ((0.035, 3), (0.045, 2)):  # standard errors of 0.018 and 0.023
        wide = figure(estimate(0.712345, width=half))
        assert wide is not None
        assert wide.value == round(0.712345, digits)
    assert figure(estimate(None)) is None
    assert figure(None) is None


def test_rounding_is_down_and_to_significant_digits() -> None:
    assert [rounded(value, 10) for value in (10, 14, 15, 24, 25)] == [10, 10, 10, 20, 20]
    assert [rounded(value, 20) for value in (20, 39, 40)] == [20, 20, 40]
    assert [significant(value) for value in (0.0123, 1.26, -0.00449)] == [0.012, 1.3, -0.0045]


def test_the_key_of_a_site_is_made_once_and_read_by_its_owner_alone(tmp_path: Path) -> None:
    assert find_site_key(tmp_path) is None
    key = site_key(tmp_path)
    assert len(key) == 32
    assert site_key(tmp_path) == key == find_site_key(tmp_path)
    assert stat.S_IMODE((tmp_path / "site-key").stat().st_mode) == 0o600
    assert site_key(tmp_path / "elsewhere") != key


def test_a_pseudonym_is_stable_at_a_site_and_says_nothing_elsewhere() -> None:
    assert pseudonym(b"a", "data") == pseudonym(b"a", "data")
    assert len({pseudonym(b"a", "data"), pseudonym(b"b", "data"), pseudonym(b"a", "other")}) == 3


def test_records_of_which_nothing_else_is_told_are_counted_whosoever_they_are() -> None:
    rule = Disclosure(10, repeated=1_000)
    assert (rule.records(9), rule.records(10), rule.records(29)) == ("< 10", 10, 20)
    assert rule.count(29) == "withheld"
