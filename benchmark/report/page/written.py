"""How the numbers of the page are written into it: as JSON, deflated where that would be too large."""

from __future__ import annotations

from typing import Any

from benchmark.report.page.details import leave_out_last
from benchmark.report.page.encoding import as_script, deflated

PLAIN = 2_000_000
"""Bytes of JSON at most in a page that browsers of any age can read."""


def written(content: dict[str, Any], later: list[Any], room: int) -> str:
    """Give the elements that hold the numbers.

    Parameters
    ----------
    content
        Of the views. Concepts lose their details, the last first, until there is room for the others.
    later
        Tables that are made when somebody opens them.
    room
        Bytes.
    """
    text, tables = as_script(content), as_script(later)
    plain = _element("application/json", "data", text) + _element("application/json", "later", tables)
    if len(plain.encode()) <= min(PLAIN, room):
        return plain
    tables = _element("text/plain", "later", deflated(tables))
    while True:
        packed = _element("text/plain", "data", deflated(text)) + tables
        if len(packed) <= room or not content["details"]["concepts"]:
            return packed
        saved = 0
        while content["details"]["concepts"] and saved < len(packed) - room:
            saved += len(deflated(as_script(leave_out_last(content["details"]))))
        text = as_script(content)


def _element(kind: str, name: str, text: str) -> str:
    return f'<script type="{kind}" id="{name}">{text}</script>\n'
