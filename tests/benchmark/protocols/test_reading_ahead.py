"""The next items are made while somebody is busy."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from benchmark.protocols.reading_ahead import ahead


def numbers(to: int, made: list[int], closed: threading.Event) -> Iterator[int]:
    try:
        for number in range(to):
            made.append(number)
            yield number
    finally:
        closed.set()


@pytest.mark.parametrize("depth", [1, 2, 50])
def test_items_come_in_order_and_the_generator_is_closed(depth: int) -> None:
    made: list[int] = []
    closed = threading.Event()
    assert list(ahead(numbers(20, made, closed), depth)) == list(range(20))
    assert closed.is_set()


def test_it_works_while_nobody_asks_but_no_further_than_its_depth() -> None:
    made: list[int] = []
    closed = threading.Event()
    items = ahead(numbers(20, made, closed), 3)
    assert next(items) == 0
    for _ in range(500):
        if len(made) >= 5:
            break
        closed.wait(0.01)
    closed.wait(0.1)
    assert made == [0, 1, 2, 3, 4], "one taken, three waiting, one in the hand"
    items.close()  # type: ignore[attr-defined]
    assert closed.wait(5)
    assert len(made) <= 6


def test_an_error_comes_where_it_was_raised() -> None:
    def breaks() -> Iterator[int]:
        yield 1
        raise KeyError("lost")

    items = ahead(breaks(), 2)
    assert next(items) == 1
    with pytest.raises(KeyError, match="lost"):
        next(items)


def test_no_thread_is_left() -> None:
    before = threading.active_count()
    items = ahead(numbers(10_000, [], threading.Event()), 1)
    next(items)
    items.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before
