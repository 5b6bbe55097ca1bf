"""Numbers and texts of the page: the quick ways give what the plain ones give."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from benchmark.report.page.encoding import as_script, units, units_of
from benchmark.report.text import number
from benchmark.text import visible


@given(st.floats(-1, 1))
@example(0.00045)
@example(0.0005)
@example(0.0625)
@example(-0.0125)
@example(0.87149)
@example(0.8715)
def test_what_the_script_makes_of_units_is_what_the_tables_say(value: float) -> None:
    found = units(value)
    assert found is not None
    assert abs(found - value * 10_000) <= 1
    shown = (found + 5) // 10
    if value > 0:
        assert number(value) == ("<0.001" if shown == 0 else f"{shown / 1000:.3f}")
    else:
        assert shown == round(float(f"{value:.3f}") * 1000)


@given(
    st.lists(st.none() | st.floats(-3, 3) | st.sampled_from([0.00045, 0.0625, -0.0125, 0.87149]), max_size=9)
)
def test_many_values_are_rounded_as_each_is(values: list[float | None]) -> None:
    assert units_of(values) == [units(value) for value in values]


def test_what_is_not_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="not a number"):
        units_of([0.5, None, float("nan")])


@given(st.recursive(st.text(max_size=5) | st.integers(), lambda one: st.lists(one, max_size=3)))
@example(["a\nb", 'c"d', "e\\", "\\n", "\x7f", "\u202e", '\\"\n', "</script>", "\u00a0"])
def test_no_text_of_the_page_hides_anything(content: Any) -> None:
    def plain(one: Any) -> Any:
        return (
            [plain(part) for part in one]
            if isinstance(one, list)
            else visible(one, " ")
            if isinstance(one, str)
            else one
        )

    text = as_script(content)
    assert json.loads(text) == plain(content)
    assert text.isprintable()
    assert not {"<", ">", "&"} & set(text)
