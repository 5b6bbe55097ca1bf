"""Seeded mutations of a file: of its bytes, of its words, and of what is inside where it is an archive."""

from __future__ import annotations

import gzip
import io
import json
import random
import re
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

ODD_WORDS = (
    *(b"", b"-1", b"0", b"1e308", b"-1e400", b"nan", b"inf", b"true", b"null", b"[]", b"{}", b"'", b'"'),
    *(b"99999999999999999999", b"4294967296", b"-2147483648", b"0.1e-320", b"1_000", b"0x10", b"\xd9\xa3"),
    *(
        b"\0",
        b"\x85",
        b"\x1b[2J",
        b"\xef\xbb\xbf",
        b"\xe2\x80\xa8",
        b"\xff\xfe",
        b"\xed\xa0\x80",
        b"\r",
        b"\n",
    ),
    *(b"../../x", b"/dev/zero", b"%s%n", b"a" * 300, b"&a [*a, *a]", b"!!python/object:os.system x"),
)
ODD_VALUES: tuple[Any, ...] = (
    *(None, True, "", "x" * 300, "\ud800", "\0", "\x1b[2J", "../../x", "nan", [], {}, [[]], {"": 0}),
    *(0, -1, 2**31, 2**63, 2**64, 10**400, 1e308, -1.5, float("nan"), float("inf"), 0.1),
)


def mutated(content: bytes, chance: random.Random) -> bytes:
    """Change a file in one to three ways; often inside of its container, whose sums are made again."""
    inner = chance.random() < 0.5 and _inside(content, chance)
    if inner:
        return inner
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        content = chance.choice(_WAYS)(content, chance)
    return content


def _flip(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 8))):
        if changed:
            changed[_place(len(changed), chance)] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _place(size: int, chance: random.Random) -> int:
    """Anywhere, but more often near the two ends, where formats keep what they say about the rest."""
    if chance.random() < 0.4:
        return chance.randrange(size)
    near = min(size - 1, int(chance.expovariate(1 / 200)))
    return chance.choice((near, size - 1 - near))


def _overwrite(content: bytes, chance: random.Random) -> bytes:
    """Put a number that is too large, or one that is nearly right, in the place of another."""
    width = chance.choice((1, 2, 4, 8))
    number = chance.choice(
        (0, 1, 2 ** (8 * width) - 1, 2 ** (8 * width - 1), chance.randrange(2 ** (8 * width)))
    )
    at = _place(len(content), chance) if content else 0
    return content[:at] + number.to_bytes(width, chance.choice(("little", "big"))) + content[at + width :]


def _truncate(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.choice((0, chance.randrange(len(content) + 1), max(0, len(content) - 1)))]


def _repeat(content: bytes, chance: random.Random) -> bytes:
    """Leave a piece out, or give it twice."""
    start, end = sorted(chance.randrange(len(content) + 1) for _ in range(2))
    end = min(end, start + 4096)
    return content[:start] + content[start:end] * chance.choice((0, 2)) + content[end:]


def _word(content: bytes, chance: random.Random) -> bytes:
    """Replace a number or a word by an odd one, or put one in between."""
    words = list(re.finditer(rb"[\w.+-]+", content[:200_000]))
    if not words:
        return chance.choice(ODD_WORDS) + content
    word = chance.choice(words)
    start = word.start() if chance.random() < 0.7 else word.end()
    return content[:start] + chance.choice(ODD_WORDS) + content[word.end() :]


def _lines(content: bytes, chance: random.Random) -> bytes:
    """Exchange two lines, or two cells of a table."""
    separator = chance.choice((b"\n", b"\n", b",", b" "))
    parts = content.split(separator)
    one, other = chance.randrange(len(parts)), chance.randrange(len(parts))
    parts[one], parts[other] = parts[other], parts[one]
    return separator.join(parts)


_WAYS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    *(_flip, _flip, _overwrite, _overwrite, _truncate, _repeat, _word, _word, _lines),
)


def _inside(content: bytes, chance: random.Random) -> bytes:
    """Change what a zip, gzip, JSON or safetensors file holds, so that the change gets past its frame."""
    try:
        if content.startswith(b"PK"):
            return _in_zip(content, chance)
        if content.startswith(b"\x1f\x8b"):
            return gzip.compress(mutated(gzip.decompress(content), chance), 1)
        if content[:1] in (b"{", b"["):
            return json.dumps(_odd(json.loads(content), chance)).encode()
        if content[8:9] == b"{":
            size = int.from_bytes(content[:8], "little")
            head = json.dumps(_odd(json.loads(content[8 : 8 + size]), chance)).encode()
            return len(head).to_bytes(8, "little") + head + content[8 + size :]
    except (ValueError, OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError):
        return b""  # it was changed before, or is nothing of the kind
    return b""


def _in_zip(content: bytes, chance: random.Random) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(packed, "w") as new:
        names = old.namelist()
        unlucky = chance.choice(names) if names else ""
        for info in old.infolist():
            inner = old.read(info)
            new.writestr(info, mutated(inner, chance) if info.filename == unlucky else inner)
    return packed.getvalue()


def _odd(content: Any, chance: random.Random) -> Any:
    """Replace, repeat or leave out something at a random depth."""
    if isinstance(content, dict) and content and chance.random() < 0.9:
        name = chance.choice(list(content))
        if chance.random() < 0.1:
            return {other: value for other, value in content.items() if other != name}
        if chance.random() < 0.05:
            return {**content, str(chance.choice(ODD_VALUES)).encode("ascii", "replace").decode(): 0}
        return {**content, name: _odd(content[name], chance)}
    if isinstance(content, list) and content and chance.random() < 0.9:
        at = chance.randrange(len(content))
        if chance.random() < 0.1:
            return [*content[:at], *content[at:] * 2]
        return [*content[:at], _odd(content[at], chance), *content[at + 1 :]]
    return chance.choice(ODD_VALUES)
