"""XML files of electrocardiographs: what is asked for enters memory, and nothing else.

A reader names the elements that it needs; all others are left out while the file is parsed, with everything
in them. Names, birth dates and comments of a patient are therefore in no tree. Entities, external
references, deep nesting and large files are refused.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError, TreeBuilder
from xml.parsers.expat import ErrorString, ExpatError

from cohorts.errors import RecordError, UsageError
from cohorts.formats.wfdb_header import cause, file_size, shown

MAX_BYTES = 32 * 2**20
"""Largest file that is parsed: twelve leads at 500 Hz for a quarter of an hour, as decimal numbers."""

_MAX_DEPTH = 64
_MAX_ELEMENTS = 100_000
_LARGE_TAG = re.compile(r"<(?!!\[CDATA\[)[^<>]{65536}")  # a million attributes take minutes
_DECLARATION = re.compile(r"^\s*<\?xml.*?\?>", re.DOTALL)
_NAME = re.compile(r"<(?:[\w.-]+:)?([\w.-]+)")
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)


def read_tree(path: Path, root: str, keep: Collection[str]) -> Element:
    """Parse the asked elements of a file.

    Parameters
    ----------
    root
        Name of the root element.
    keep
        Names of the elements below it that are kept. One with another name is left out with everything
        in it.

    Returns
    -------
    xml.etree.ElementTree.Element
        Names of elements and attributes are without namespaces and prefixes.

    Raises
    ------
    RecordError
        If the file is missing, too large, not well-formed, has another root element, or declares
        entities.
    UsageError
        If defusedxml is not installed.
    """
    try:
        from defusedxml import DefusedXmlException
        from defusedxml.ElementTree import DefusedXMLParser
    except ImportError:
        raise UsageError(
            "XML files of electrocardiographs need defusedxml: pip install 'leadboard[formats]'."
        ) from None
    file = shown(path.name)
    if file_size(path) > MAX_BYTES:
        raise RecordError(f"{file} has more than {MAX_BYTES // 2**20} MiB, too many for an ECG in XML.")
    try:
        text = _decoded(path.read_bytes())
    except OSError as error:
        raise RecordError(f"{file} cannot be read: {cause(error)}.") from None
    if not text.strip(" \t\r\n\0"):
        raise RecordError(f"{file} is empty.")
    if _LARGE_TAG.search(text):
        raise RecordError(
            f"{file} has a tag or comment of more than 64 KiB, which no electrocardiograph writes."
        )
    parser = DefusedXMLParser(target=_Kept(file, root, frozenset(keep)))
    try:
        # The declared encoding is not believed, so the declaration goes.
        text = _DECLARATION.sub("", text, count=1)
        parser.feed(text)
        tree: Element = parser.close()
    except DefusedXmlException:
        raise RecordError(f"{file} declares entities or external references, which are refused.") from None
    except (ParseError, ExpatError) as error:
        raise RecordError(f"{file} is not well-formed XML ({_where(error)}).") from None
    except (ValueError, AssertionError, MemoryError) as error:  # what expat and the tree raise besides
        raise RecordError(f"{file} is not well-formed XML ({type(error).__name__}).") from None
    return tree


def root_name(head: bytes) -> str | None:
    """Name of the root element, without prefix, given the first bytes of a file in any encoding."""
    text = _decoded(head).lstrip(" \t\r\n")
    while text.startswith(("<?", "<!")):
        if text.startswith("<!--"):
            end = text.find("-->") + 3
        elif text.startswith("<?"):
            end = text.find("?>") + 2
        else:  # a document type, with declarations in brackets or without
            bracket, end = text.find("["), text.find(">") + 1
            if 0 <= bracket < end:
                end = text.find(">", text.find("]") + 1) + 1 if "]" in text else 0
        if end < 3:
            return None
        text = text[end:].lstrip(" \t\r\n")
    match = _NAME.match(text)
    return match[1] if match else None


def child_text(element: Element, name: str) -> str:
    """Text of the first child of this name, without blanks around it; "" where there is none."""
    return (element.findtext(name) or "").strip()


def _decoded(raw: bytes) -> str:
    """Decode by what the bytes are, whatever the file declares.

    All that a reader takes is ASCII: tags, digits, base64. A name of a patient in an encoding that the
    declaration does not tell, or tells wrongly, is thus no reason to refuse a file.
    """
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return raw.decode(encoding, errors="replace").removeprefix("\ufeff")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.removeprefix(codecs.BOM_UTF8).decode("latin-1")


def _where(error: Exception) -> str:
    """What expat says and where, without its message, which may quote the file."""
    line, column = getattr(error, "position", (0, 0))
    what = ErrorString(getattr(error, "code", 0)) or "damaged"
    return f"{what} at line {line}, column {column}"


class _Kept(TreeBuilder):
    """Builds the kept elements only and stops at what no ECG has.

    Parameters
    ----------
    file
        Name for messages.
    root, keep
        As `read_tree`.
    """

    def __init__(self, file: str, root: str, keep: frozenset[str]) -> None:
        super().__init__()
        self._file, self._root, self._keep = file, root, keep
        self._depth = self._elements = 0
        self._dropped_at: int | None = None

    def start(self, tag: str, attrs: dict[str, str]) -> Element | None:  # type: ignore[override]
        """Open an element, or begin to leave out."""
        name = _local(tag)
        self._depth += 1
        self._elements += 1
        if self._depth == 1 and name != self._root:
            raise RecordError(f"{self._file} has another root element than {self._root}.")
        if self._depth > _MAX_DEPTH or self._elements > _MAX_ELEMENTS:
            raise RecordError(
                f"{self._file} has more than {_MAX_ELEMENTS:,} elements, or nests them deeper than "
                f"{_MAX_DEPTH}: no electrocardiograph writes that."
            )
        if self._dropped_at is None and self._depth > 1 and name not in self._keep:
            self._dropped_at = self._depth
        if self._dropped_at is not None:
            return None
        return super().start(name, {_local(key): value for key, value in attrs.items()})

    def end(self, tag: str) -> Element | None:  # type: ignore[override]
        """Close an element, or end leaving out."""
        self._depth -= 1
        if self._dropped_at is None:
            return super().end(_local(tag))
        if self._depth < self._dropped_at:
            self._dropped_at = None
        return None

    def data(self, data: str) -> None:
        """Take text of a kept element."""
        if self._dropped_at is None:
            super().data(data)


def _local(name: str) -> str:
    return name.rpartition("}")[2]
