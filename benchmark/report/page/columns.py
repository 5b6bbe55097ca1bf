"""Rows of numbers as columns, of which some are differences from another: deflated, a third of the room."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmark.report.page.encoding import units_of

ITSELF = -1
"""Of a column: its numbers are written as they are."""

ESTIMATE = (ITSELF, 0, 0)
"""Value, low and high: the ends of an interval lie close to its middle."""


def folded(rows: Sequence[float | None], near: Sequence[int], of_units: Sequence[int] = ()) -> dict[str, Any]:
    """Write rows, one after another, as columns.

    Parameters
    ----------
    near
        For each column the place of an earlier one, from which it is told as the difference, or `ITSELF`.
        Where either has no number, the other is written as it is.
    of_units
        Columns of values that are written in units.

    Returns
    -------
    dict
        ``near`` and ``columns``, from which the script makes the rows.

    Examples
    --------
    >>> folded([8714, 8600, 8800, 9000, None, None], ESTIMATE)
    {'near': [-1, 0, 0], 'columns': [[8714, 9000], [-114, None], [86, None]]}
    >>> folded([0.8714, 0.86, 0.88, 0.9, None, None], ESTIMATE, (0, 1, 2))
    {'near': [-1, 0, 0], 'columns': [[8714, 9000], [-114, None], [86, None]]}
    """
    whole = [rows[at :: len(near)] for at in range(len(near))]
    for at in of_units:
        whole[at] = units_of(whole[at])
    return {
        "near": list(near),
        "columns": [
            list(column)
            if by == ITSELF
            else [
                one if one is None or of is None else one - of
                for one, of in zip(column, whole[by], strict=True)
            ]
            for column, by in zip(whole, near, strict=True)
        ],
    }


def in_columns(
    rows: Mapping[str, Mapping[str, Any]],
    near: Mapping[str, Sequence[int]],
    of_units: Mapping[str, Sequence[int]],
) -> dict[str, Any]:
    """Write what is told of several cells part by part, each `folded`.

    Parameters
    ----------
    rows
        Place of a cell -> names within names -> numbers, one row of them or several.
    near, of_units
        First name -> as of `folded`.

    Returns
    -------
    dict
        ``cells``, their places; ``parts``: of each its ``path`` of names, which of the ``cells`` have it, and
        how many ``rows`` these have, left out where it is one each; ``near`` and ``columns``.
    """
    parts: dict[tuple[str, ...], dict[int, Sequence[Any]]] = {}
    for at, one in enumerate(rows.values()):
        for path, numbers in _leaves(one):
            parts.setdefault(path, {})[at] = numbers
    return {
        "cells": [int(place) for place in rows],
        "parts": [
            _part(path, found, near[path[0]], of_units.get(path[0], ())) for path, found in parts.items()
        ],
    }


def _leaves(content: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, one in content.items():
        if isinstance(one, Mapping):
            yield from _leaves(one, (*path, name))
        else:
            yield (*path, name), one


def _part(
    path: tuple[str, ...], found: Mapping[int, Sequence[Any]], near: Sequence[int], of_units: Sequence[int]
) -> dict[str, Any]:
    lengths = [len(numbers) // len(near) for numbers in found.values()]
    several = {"rows": lengths} if set(lengths) != {1} else {}
    flat = [number for numbers in found.values() for number in numbers]
    return {"path": list(path), "cells": list(found), **several, **folded(flat, near, of_units)}
