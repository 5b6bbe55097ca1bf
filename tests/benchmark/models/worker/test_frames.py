"""Frames come through whole, and nothing that is not exactly one is believed."""

from __future__ import annotations

import json
import struct
from typing import Any

import numpy as np
import pytest

from benchmark.models.worker.frames import (
    BODY_LIMIT,
    HEADER_LIMIT,
    NOISE_LIMIT,
    FrameError,
    FrameReader,
    pack,
)
from benchmark.models.worker.pipes import MAGIC, PREFIX


def framed(header: Any, body: bytes = b"", size: int | None = None) -> bytes:
    content = header if isinstance(header, bytes) else json.dumps(header).encode()
    return PREFIX.pack(MAGIC, len(content), len(body) if size is None else size) + content + body


def read(data: bytes, *, noisy: bool = False, piece: int = 1 << 20) -> tuple[Any, Any]:
    reader, at = FrameReader(noisy=noisy), 0
    while missing := reader.missing():
        assert at < len(data), "asks for more than there is"
        step = min(missing, piece)
        reader.feed(data[at : at + step])
        at += step
    return reader.reply()


def test_a_frame_has_no_padding() -> None:
    assert PREFIX.size == len(MAGIC) + struct.calcsize("<I") + struct.calcsize("<Q")


@pytest.mark.parametrize("dtype", ["<f4", "<f8", "<f2", "<i8", "|u1"])
@pytest.mark.parametrize("shape", [(4, 3), (0, 3), (), (5,)])
def test_an_array_comes_through_in_any_pieces(dtype: str, shape: tuple[int, ...]) -> None:
    sent = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
    data = b"".join(pack({"id": 7}, {"answer": sent}))
    for piece in (1, 5, 1 << 20):
        header, array = read(data, piece=piece)
        assert header.id == 7
        assert array.dtype == sent.dtype
        np.testing.assert_array_equal(array, sent)


def test_what_is_printed_before_the_first_frame_is_skipped() -> None:
    noise = b"== PyTorch ==\n" + MAGIC[:-1] + b" not yet\n"
    header, array = read(noise + framed({"id": 1, "arrays": []}), noisy=True)
    assert (header.id, array) == (1, None)
    with pytest.raises(FrameError, match="preceded by too much"):
        read(b"." * (NOISE_LIMIT + 100), noisy=True)
    with pytest.raises(FrameError, match="does not begin like one"):
        read(noise + framed({"id": 1, "arrays": []}))


def one(dtype: str, shape: list[Any]) -> dict[str, Any]:
    return {"id": 1, "arrays": [["answer", dtype, shape]]}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n", "does not begin like one"),
        (PREFIX.pack(MAGIC, HEADER_LIMIT + 1, 0), "announces 1,048,577"),
        (PREFIX.pack(MAGIC, 2, BODY_LIMIT + 1), "announces 2 "),
        (framed(b"\xff\xfe no JSON"), "header is not valid"),
        (framed(b"[" * 50_000), "header is not valid"),
        (framed({"arrays": []}), "header is not valid: Field required"),
        (framed({"id": "1", "arrays": []}), "header is not valid: Input should be a valid integer"),
        (framed({"id": 1, "arrays": [], "labels": "please"}), "header is not valid: Extra inputs"),
        (framed({"id": 1, "arrays": [], "refused": "x" * 5000}), "header is not valid: String should have"),
        (framed(b'{"id": 1, "arrays": [], "refused": "\\ud800"}'), "header is not valid"),
        (framed(one("|O", [1]), bytes(8)), "header is not valid"),
        (framed(one("<U6", [1]), bytes(24)), "header is not valid"),
        (framed(one("<f4", [-4, -2]), bytes(32)), "header is not valid"),
        (framed(one("<f4", [2.0, 4.0]), bytes(32)), "header is not valid"),
        (framed(one("<f4", [1] * 9), bytes(4)), "header is not valid"),
        (framed(one("<f4", [4, 2]), bytes(8)), "array is not as large as it says"),
        (framed(one("<f4", [2**28] * 8), bytes(8)), "array is not as large as it says"),
        (framed({"id": 1, "arrays": []}, bytes(8)), "array is not as large as it says"),
        (framed({"id": 1, "arrays": 2 * one("<f4", [1])["arrays"]}, bytes(8)), "header is not valid"),
    ],
)
def test_anything_else_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(FrameError, match=words):
        read(data)
