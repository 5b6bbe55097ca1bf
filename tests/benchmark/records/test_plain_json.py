"""The quick way to read JSON: it answers what the strict one does, or leaves it to that one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.records import strict_json
from benchmark.records.strict_json import MOST_JSON_INTEGER, MOST_JSON_VALUES, _plain_json, read_json
from cohorts.errors import LeadboardError


class Pairs(list[tuple[str, Any]]):
    """An object that may have a name twice."""


def objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    names = st.sampled_from(["a", "b", ": c", ""]) | st.text(max_size=3)
    return st.lists(st.tuples(names, inner), max_size=4).map(Pairs)


LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | objects(inner), max_leaves=12)


def text_of(value: Any, colon: str) -> str:
    if isinstance(value, Pairs):
        return "{" + ", ".join(f"{text_of(k, colon)}{colon}{text_of(v, colon)}" for k, v in value) + "}"
    if isinstance(value, list):
        return "[" + ",\n".join(text_of(one, colon) for one in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def agree(content: bytes, path: Path) -> bool:
    """Whether the quick way gave an answer, which must then be that of the strict one."""
    quick = _plain_json(content)
    if quick is not None:
        path.write_bytes(content)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(strict_json, "_plain_json", lambda _: None)
            assert repr(read_json(path)) == repr(quick)
    return quick is not None


@given(value=VALUES, colon=st.sampled_from([":", ": ", " :", "\n:\t"]))
def test_what_it_reads_is_what_the_strict_way_reads(
    value: Any, colon: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    text = text_of(value, colon)
    agree(text.encode("utf-8", "surrogatepass"), tmp_path_factory.getbasetemp() / "one.json")


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1}',
        '{"a": {"b": [1, -0.5, 1e-300, 0.00019829078334439597, true, null, "\u5fc3: x"]}}',
        f'{{"a": {10**19 - 1}}}',
    ],
)
def test_the_usual_is_read_quickly(text: str, tmp_path: Path) -> None:
    assert agree(text.encode(), tmp_path / "one.json")


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "a": 1}',
        '{"a": 1, "\\u0061": 2}',
        '[": x", {"": 1, "": 2}]',
        '{"a": 1e999}',
        '{"a": NaN}',
        f'{{"a": {MOST_JSON_INTEGER + 1}}}',
        '{"a": 1e00000000000000000000}',
        "[" + "0," * MOST_JSON_VALUES + "0]",
        "[" * 300 + "]" * 300,
        '{"a": 1} x',
        '{"a": "\x01"}',
        "",
    ],
)
def test_what_may_break_a_rule_is_left_to_the_strict_way(text: str, tmp_path: Path) -> None:
    assert not agree(text.encode(), tmp_path / "one.json")


def test_a_name_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text('{"a": 1, "a": 2}')
    with pytest.raises(LeadboardError, match="an object has a name twice"):
        read_json(tmp_path / "one.json")
