"""How numbers and texts are written into the page: never another number than the tables show."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from benchmark.metrics.estimates import Estimate
from benchmark.text import visible

Number = int | None
"""In units of 0.0001."""


def units(value: float | None) -> Number:
    """Round to 4 decimals, as a whole number of 0.0001, without a step that rounds twice.

    The page shows 3 decimals. What it makes of the number given here is what `benchmark.report.text.number`
    makes of the value itself: 0.87149 is 0.871 in both, though its 4 decimals are 0.8715. A number above 0
    stays above 0.

    Examples
    --------
    >>> units(0.87149), units(0.8715001), units(0.00001), units(-0.0125), units(None)
    (8714, 8715, 1, -126, None)
    """
    if value is None:
        return None
    found = round(value * 10_000)
    if found % 10 == 5:  # nowhere else can the 4 decimals round otherwise than the value
        shown = round(float(f"{value:.3f}") * 1000)
        found = min(max(found, 10 * shown - 5), 10 * shown + 4)
    return max(found, 1) if value > 0 else found


def units_of(values: Sequence[float | None]) -> list[Number]:
    """Round many values as `units` does.

    Examples
    --------
    >>> units_of([0.87149, None, -0.0125])
    [8714, None, -126]

    Raises
    ------
    ValueError
        If a value is not a number.
    """
    known = np.array(values, np.float64)
    undefined = np.isnan(known)
    if np.count_nonzero(undefined) != sum(value is None for value in values):
        raise ValueError("not a number")
    found = np.rint(np.where(undefined, 0, known) * 10_000).astype(np.int64)
    for at in np.flatnonzero(found % 10 == 5).tolist():
        found[at] = units(values[at]) or 0
    found[(known > 0) & (found < 1)] = 1
    return [None if value is None else one for value, one in zip(values, found.tolist(), strict=True)]


def ends(estimate: Estimate | None) -> list[float | None]:
    """Value, low and high of an estimate as they are; the ends are None where no interval is to be shown."""
    if estimate is None or estimate.value is None:
        return [None, None, None]
    return [estimate.value, *(estimate.interval or (None, None))]


def triple(estimate: Estimate | None) -> list[Number]:
    """Value, low and high of an estimate, as `ends` gives them, in units."""
    return [units(value) for value in ends(estimate)]


class Texts:
    """Texts that occur often, each written once."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    def places(self, texts: Iterable[str]) -> list[int]:
        """Where these texts are in the list of all."""
        return [self._places.setdefault(text, len(self._places)) for text in texts]

    @property
    def all(self) -> list[str]:
        """Every text in the order of its place."""
        return list(self._places)


def as_script(content: Any) -> str:
    r"""JSON that may stand inside a script element: nothing in it ends the element, gives orders or hides.

    Examples
    --------
    >>> as_script(["</script>", "a\u202eb"])
    '["\\u003c/script\\u003e","a b"]'
    """
    text = _compact(content)
    if not text.isprintable() or any(sign[1] not in '"\\' for sign in _ESCAPED.finditer(text)):
        text = _compact(_visible(content))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _compact(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


_ESCAPED = re.compile(r"\\(.)")
"""Of JSON: an escape; of all but a quote and a backslash it is of something that cannot be seen."""


def _visible(content: Any) -> Any:
    if isinstance(content, str):
        return visible(content, " ")
    if isinstance(content, dict):
        return {visible(str(key), " "): _visible(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_visible(value) for value in content]
    return content


def deflated(text: str) -> str:
    """Deflate a text (RFC 1950) and write that in base64."""
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()
