"""Frames between the suite and a worker, and what of a worker's answer is believed.

The layout is described in `benchmark.models.worker.pipes`. A worker runs a stranger's code: every length
is checked before memory is taken for it, the header is checked against a strict schema, and arrays are
numbers only.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from benchmark.models.model_files import ModelFile
from benchmark.models.worker.pipes import MAGIC, PREFIX

HEADER_LIMIT = 1 << 20
BODY_LIMIT = 1 << 28
NOISE_LIMIT = 1 << 16
"""Bytes that an interpreter, or what wraps it, may print before the worker has taken its output away."""

Array = npt.NDArray[Any]
Text = Annotated[str, Field(max_length=4000)]
Number = Literal["|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f2", "<f4", "<f8"]
Size = Annotated[int, Field(ge=0, le=BODY_LIMIT)]
Shape = Annotated[tuple[Size, ...], Field(max_length=8)]


class FrameError(Exception):
    """What came is no frame; the message says what is wrong with it."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Raised(_Strict):
    """An exception of the model."""

    what: Text
    type: Text
    where: Text
    words: Text


class Loaded(_Strict):
    """What is to be known of a model that was loaded; ``card`` is yet to be checked.

    ``protocols`` are those that it confines itself to, None for all; ``folder`` is that of its file or
    package, where it runs.
    """

    card: Any
    abilities: tuple[Literal["embed", "ages", "set_concepts", "fit", "save", "load"], ...]
    protocols: Annotated[tuple[Text, ...], Field(max_length=100)] | None = None
    code_hash: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    folder: Text
    python: Text
    packages: dict[str, Text]


class Reply(_Strict):
    """The header of an answer; ``files`` are those that the model has opened since the last one.

    ``card`` is what the model says of itself after it has learnt or loaded something, yet to be checked.
    """

    id: int
    files: Annotated[tuple[ModelFile, ...], Field(max_length=10_000)] = ()
    arrays: Annotated[tuple[tuple[Literal["answer"], Number, Shape], ...], Field(max_length=1)]
    loaded: Loaded | None = None
    card: Any = None
    refused: Text | None = None
    raised: Raised | None = None


def pack(header: Mapping[str, Any], arrays: Mapping[str, Array]) -> list[memoryview]:
    """Give the pieces of a frame; the arrays, which have to be C-contiguous, are not copied."""
    listed = [[name, array.dtype.str, array.shape] for name, array in arrays.items()]
    content = json.dumps({**header, "arrays": listed}).encode()
    size = sum(array.nbytes for array in arrays.values())
    head = PREFIX.pack(MAGIC, len(content), size) + content
    return [memoryview(head), *(array.reshape(-1).view(np.uint8).data for array in arrays.values())]


class FrameReader:
    """Puts one answer together from what comes through a pipe.

    Parameters
    ----------
    noisy
        Whether something else may come before the frame.
    """

    def __init__(self, *, noisy: bool = False) -> None:
        self._buffer = bytearray()
        self._noise = NOISE_LIMIT if noisy else 0

    def feed(self, data: bytes) -> None:
        """Take bytes, no more than `missing` asked for."""
        self._buffer += data

    def missing(self) -> int:
        """Bytes that are at least still to come, 0 once the frame is whole.

        Raises
        ------
        FrameError
            If this is no frame, or one larger than any answer.
        """
        self._skip_noise()
        if len(self._buffer) < PREFIX.size:
            return PREFIX.size - len(self._buffer)
        magic, header, body = PREFIX.unpack_from(self._buffer)
        if magic != MAGIC:
            raise FrameError("it does not begin like one")
        if header > HEADER_LIMIT or body > BODY_LIMIT:
            raise FrameError(f"it announces {header:,} + {body:,} bytes")
        return int(PREFIX.size + header + body - len(self._buffer))

    def _skip_noise(self) -> None:
        if not self._noise:
            return
        at = self._buffer.find(MAGIC)
        skipped = at if at >= 0 else max(0, len(self._buffer) - len(MAGIC) + 1)
        self._noise -= skipped
        if self._noise <= 0:
            raise FrameError("it is preceded by too much else")
        del self._buffer[:skipped]

    def reply(self) -> tuple[Reply, Array | None]:
        """Give header and array of the whole frame.

        Raises
        ------
        FrameError
            If the header is not valid or does not fit the array.
        """
        _, length, size = PREFIX.unpack_from(self._buffer)
        try:
            header = Reply.model_validate_json(self._buffer[PREFIX.size : PREFIX.size + length])
        except ValidationError as error:
            first = error.errors()[0]
            raise FrameError(f"its header is not valid: {first['msg']}") from None
        body = self._buffer[PREFIX.size + length :]
        announced = [(np.dtype(dtype), shape) for _, dtype, shape in header.arrays]
        if sum(dtype.itemsize * math.prod(shape) for dtype, shape in announced) != size:
            raise FrameError("its array is not as large as it says")
        arrays: list[Array] = [np.frombuffer(body, dtype).reshape(shape) for dtype, shape in announced]
        return header, arrays[0] if arrays else None
