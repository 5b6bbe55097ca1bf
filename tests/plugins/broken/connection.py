"""Models that break or abuse the connection to the suite; to be run in a worker only."""

import json
import os
import stat
import struct

import numpy as np

CARD = {"name": "broken", "outputs": ["AF", "LVH"], "trained_on": []}
PREFIX = struct.Struct("<8sIQ")


def pipe_to_the_suite():
    for descriptor in range(3, 64):
        try:
            is_pipe = stat.S_ISFIFO(os.fstat(descriptor).st_mode)
            if is_pipe and os.write(descriptor, b"") == 0:
                return descriptor
        except OSError:
            continue
    raise AssertionError("no pipe found")


def frame(header, size=0):
    content = json.dumps(header).encode()
    return PREFIX.pack(b"\x93LBFRAME", len(content), size) + content


class ClosesEverything:
    card = {**CARD, "name": "closeseverything"}

    def predict(self, batch):
        os.closerange(0, 1000)
        return np.zeros((len(batch), 2))


class Sends:
    """Sends something before its answer."""

    card = {**CARD, "name": "sends"}
    sent = b""

    def predict(self, batch):
        os.write(pipe_to_the_suite(), self.sent)
        return np.zeros((len(batch), 2))


class Garbage(Sends):
    sent = b"GET / HTTP/1.1\r\n\r\n" * 10


class HugeBody(Sends):
    sent = frame({"id": 2}, size=2**62)


class AnotherQuestion(Sends):
    sent = frame({"id": 77, "arrays": []})


class NoArray(Sends):
    sent = frame({"id": 2, "arrays": []})


class HalfAFrame:
    card = {**CARD, "name": "halfaframe"}

    def predict(self, batch):
        os.write(pipe_to_the_suite(), frame({"id": 2}, size=1000))
        os._exit(0)
