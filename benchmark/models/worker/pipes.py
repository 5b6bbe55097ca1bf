"""The two pipes between the suite and a worker, and the frames that go through them.

Python 3.8 or newer and its standard library; the worker loads this file by its path.

A frame, in both directions and little-endian::

    8 bytes  0x93 and LBFRAME
    uint32   length of the header
    uint64   length of all arrays together
    header   JSON in UTF-8; header["arrays"] lists [name, dtype, shape] of each array
    arrays   raw bytes in C order, one after another
"""

from __future__ import annotations

import io
import json
import math
import os
import struct
from typing import Any

MAGIC = b"\x93LBFRAME"
PREFIX = struct.Struct("<8sIQ")
ITEM_SIZES = {"<f4": 4, "<U6": 24}


def own_the_streams() -> tuple[int, int]:
    """Move the two pipes out of reach of the model; its standard input is empty."""
    source, sink = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return source, sink


def receive(source: io.FileIO) -> tuple[dict[str, Any], dict[str, bytearray]] | None:
    """Read one frame; None where the suite has closed the pipe."""
    prefix = _read(source, PREFIX.size)
    content = prefix and _read(source, PREFIX.unpack(prefix)[1])
    if not content:
        return None
    header, raw = json.loads(content), {}
    for name, dtype, shape in header["arrays"]:
        array = _read(source, math.prod(shape) * ITEM_SIZES[dtype])
        if array is None:
            return None
        raw[name] = array
    return header, raw


def _read(source: io.FileIO, size: int) -> bytearray | None:
    data = bytearray(size)  # new each time, so that a model may keep or change its input
    view, done = memoryview(data), 0
    while done < size:
        count = source.readinto(view[done:])
        if not count:
            return None
        done += count
    return data


def send(sink: int, header: dict[str, Any], array: Any) -> None:
    """Write one frame."""
    body = b"" if array is None else array.tobytes()
    header["arrays"] = [] if array is None else [["answer", array.dtype.str, array.shape]]
    content = json.dumps(header, ensure_ascii=False).encode(errors="replace")
    frame = memoryview(PREFIX.pack(MAGIC, len(content), len(body)) + content + body)
    while frame:
        frame = frame[os.write(sink, frame) :]
