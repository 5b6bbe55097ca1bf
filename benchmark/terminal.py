"""Standard output and error as the command line uses them, on whatever machine and whatever is printed.

What cannot be printed costs no work: a reader of a pipe that has seen enough, a full disk, a stream that was
closed, an alphabet that lacks a sign. And nothing that is printed, by whomever, gives orders to the terminal.
"""

from __future__ import annotations

import codecs
import contextlib
import errno
import io
import os
import select
import sys
import unicodedata
from typing import Any, TextIO

from benchmark.text import harmless, visible

_PLAIN = {
    "\N{EN DASH}": "-",
    "\N{EM DASH}": "-",
    "\N{MINUS SIGN}": "-",
    "\N{MULTIPLICATION SIGN}": "x",
    "\N{DAGGER}": "+",
    "\N{REPLACEMENT CHARACTER}": "?",
}
"""What stands for the signs that this project prints, where the terminal's alphabet has none of them."""

_ERRORS = "leadboard-plain"


def tell(*lines: str, error: bool = False, end: str = "\n") -> None:
    """Print lines as they are, each on one line: nothing in them is obeyed, whoever wrote it.

    Parameters
    ----------
    error
        Whether to print to standard error.
    """
    for line in lines:
        print(visible(line), file=sys.stderr if error else sys.stdout, end=end, flush=True)


def set_up() -> None:
    """Replace standard output and error, unless somebody else has done so, by streams that never fail."""
    codecs.register_error(_ERRORS, _plain)
    _hold_places()
    if sys.stdout is sys.__stdout__:
        sys.stdout = _replaced(sys.stdout, 1)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _replaced(sys.stderr, 2)


def why_incomplete() -> str:
    """Write what is left to be written, and say why it could not be; empty if nobody misses anything."""
    sys.stderr.flush()
    sys.stdout.flush()
    failure = sys.stdout.failure if isinstance(sys.stdout, _Stream) else None
    if failure is None or failure.errno == errno.EPIPE:  # such as head, which has seen enough
        return ""
    return f"Standard output is incomplete, because it cannot be written to ({failure.strerror})."


def _hold_places() -> None:
    """Open something in place of streams that were closed, or the next file would be printed into."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDONLY)  # takes the lowest free number, which is this one


class _Outlet(io.FileIO):
    """The file of a stream: takes whatever it is given, and remembers why it could not write it."""

    failure: OSError | None = None

    def write(self, data: Any, /) -> int:
        if self.failure is None:
            try:
                while (count := super().write(data)) is None:  # another process made it non-blocking
                    select.select([], [self], [])
                return count
            except OSError as error:
                self.failure = error
        return len(data)


class _AsItIs:
    """A stream without the cleaning."""

    def __init__(self, stream: _Stream) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return super(_Stream, self._stream).write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Stream(io.TextIOWrapper):
    """A stream that passes on no orders to the terminal."""

    def __init__(self, outlet: _Outlet, like: TextIO | None) -> None:
        super().__init__(
            io.BufferedWriter(outlet),
            encoding=(like.encoding if like else None) or "utf-8",
            errors=_ERRORS,
            line_buffering=getattr(like, "line_buffering", True),
            write_through=getattr(like, "write_through", False),
        )
        self._outlet = outlet

    @property
    def failure(self) -> OSError | None:
        """Why something could not be written."""
        return self._outlet.failure

    @property
    def rich_proxied_file(self) -> _AsItIs:
        """What rich, which colours and draws bars, writes to in place of this stream."""
        return _AsItIs(self)

    def write(self, text: str, /) -> int:
        super().write(harmless(text))
        return len(text)


def _replaced(stream: TextIO | None, number: int) -> TextIO:
    if stream is not None:
        with contextlib.suppress(OSError):
            stream.flush()
    return _Stream(_Outlet(number, "wb", closefd=False), stream)


def _plain(error: UnicodeError) -> tuple[str, int]:
    """Give what is nearest to characters that an alphabet does not have."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(map(_nearest, text)), error.end


def _nearest(character: str) -> str:
    without_accents = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return _PLAIN.get(character) or without_accents or "?"
