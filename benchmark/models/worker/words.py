"""What a worker writes to its standard error: its last words, and where a stack that it dumped stands."""

from __future__ import annotations

import os
import re
from pathlib import Path

from benchmark.text import printable

HEARD_AT_ONCE = 1 << 16

KEPT = 1 << 14

_FRAME = re.compile(r'^\s*File "(.+)", line (\d+) in ')

_DUMP = re.compile(
    r'\s*(File ".+", line \d+ in |Fatal Python error: |(Current t|T)hread |Extension modules: |Binary file |'
    r"Stack \(most recent|<no Python frame>)"
)

_FOLDER = re.compile(r'File "[^"\n]*/')  # a result may be published, whose folders are nobody's business


class Words:
    """The end of what comes out of a pipe that does not block."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._heard = bytearray()

    def forget(self) -> None:
        """Forget what was heard so far."""
        self._heard.clear()

    def listen(self) -> bool:
        """Take what there is, a pipe full at most; whether more may come."""
        try:
            data = os.read(self._pipe, HEARD_AT_ONCE)
        except BlockingIOError:
            return True
        self._heard += data
        del self._heard[:-KEPT]
        return bool(data)

    def place(self) -> str:
        """Where the last stack that was dumped stood: in the model's own files rather than a library's."""
        _, found, stack = self._heard.decode(errors="replace").rpartition("(most recent call first)")
        frames = [match for line in stack.splitlines() if found and (match := _FRAME.match(line))]
        own = [one for one in frames if Path(one[1]).parent != Path(__file__).resolve().parent]
        near = [one for one in own if "/lib/python" not in one[1]] or own
        return f" at {Path(near[0][1]).name}:{near[0][2]}" if near else ""

    @property
    def last(self) -> str:
        """The end of it, without stacks."""
        lines = self._heard.decode(errors="replace").splitlines()
        words = "\n".join(line for line in lines if not _DUMP.match(line))[-2000:]
        return printable(_FOLDER.sub('File "', words), KEPT).rstrip(".")
