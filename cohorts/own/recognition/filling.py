"""A commented ``cohort.toml`` with what a table says of itself filled in, each with the reason."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence

from cohorts.errors import some
from cohorts.own.recognition.finding import Finding, text
from cohorts.own.recognition.recognise import Recognised

_WIDTH = 110
_SHOWN = 20
_TABLE = re.compile(r"(?:# )?\[([\w.]+)\]")
_SETTING = re.compile(r"(?P<off># )?(?P<key>\w+) = (?P<value>.*?)(?P<comment>\s+# .*)?")


def filled(template: str, found: Recognised) -> str:
    """Fill a template in.

    A setting that the table says stands with its reason; one that it does not say is a comment that names the
    columns that it may be. What neither speaks of stays as the template has it.
    """
    by_setting = {one.setting: one for one in found.findings}
    lines: list[str] = []
    table = ""
    for line in template.splitlines():
        if header := _TABLE.match(line):
            table = header[1]
            on = line.removeprefix("# ")
            lines.append(on if any(_is_of(one, table) and one.value for one in found.findings) else line)
            continue
        parts = _SETTING.fullmatch(line)
        setting = f"{table}.{parts['key']}" if parts else ""
        if setting == "labels.columns":
            lines += _label_lines([one for one in found.findings if one.setting.startswith(setting)], found)
        elif parts and setting in by_setting:
            lines += _setting_lines(parts, by_setting[setting], found)
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


def _is_of(one: Finding, table: str) -> bool:
    return one.setting.rpartition(".")[0] == table


def _setting_lines(parts: re.Match[str], one: Finding, found: Recognised) -> Iterator[str]:
    comment = (parts["comment"] or "").strip()
    if one.value:
        yield from _comment(one.why)
        yield _beside(f"{parts['key']} = {one.value}", comment)
        if one.setting == "cohort.index":
            yield from _comment(_columns_there(found))
    elif one.columns or not parts["off"]:
        yield from _comment(f"Not chosen: {_may_be(one, found)}")
        value = text(one.columns[0]) if len(one.columns) == 1 else parts["value"]
        yield _beside(f"# {parts['key']} = {value}", comment)
    else:
        yield parts[0]


def _label_lines(findings: Sequence[Finding], found: Recognised) -> Iterator[str]:
    for one in findings:
        key = one.setting.removeprefix("labels.")
        if one.value:
            yield _beside(f"{key} = {one.value}", f"# {one.why}")
        else:
            yield from _comment(f"Not chosen: {_may_be(one, found)}")
            yield f'# {key} = "..."' if one.columns else '# columns = { AF = "af", LBBB = "lbbb" }'


def _may_be(one: Finding, found: Recognised) -> str:
    columns = one.columns or found.rest
    listed = some(columns, _SHOWN) or "none"
    return f"{one.why}. {'It may be' if one.columns else 'Columns that are left'}: {listed}"


def _columns_there(found: Recognised) -> str:
    rest = some(found.rest, _SHOWN) if found.rest else "none"
    more = (
        f". {found.unnamed} more are not looked at: their names are empty, stand twice or look like cells"
        if found.unnamed
        else ""
    )
    return f"Columns of which nothing is said below: {rest}{more}"


def _comment(words: str) -> list[str]:
    wrapped = textwrap.wrap(
        f"{words}.", _WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False
    )
    return wrapped if words else []


def _beside(setting: str, comment: str) -> str:
    return f"{setting:<28} {comment}".rstrip()
