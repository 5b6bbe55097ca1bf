"""A worker as a process: questions with a deadline, and no trace of it once it is over."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmark.models.worker.frames import Array, FrameError, FrameReader, Reply, pack
from benchmark.models.worker.leftovers import MARK, end_all, folder_for_children, stemming_from
from benchmark.models.worker.words import Words

GRACE = 2.0
"""Seconds to end in order: more than the worker gives itself."""

TICK = 0.2
"""Seconds between two looks at whether it still lives, should its end not be seen in the pipes."""

PIPE_SIZE = 1 << 20

BEAT = 60.0
"""Seconds between two signs of life of a long answer."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an answer may take.

    Attributes
    ----------
    seconds
        After which the worker is given up.
    option
        With which the user sets them.
    beat
        Told every `BEAT` seconds how many have passed, and the last line that the worker has printed.
    """

    seconds: float
    option: str = "--deadline"
    beat: Callable[[float, str], None] | None = None


class LostError(Exception):
    """The worker is gone; the message says how and follows the worker's name.

    Attributes
    ----------
    code
        Its exit code, negative for a signal, None if it did not end by itself.
    """

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.code = code


class WorkerProcess:
    """A process that speaks in frames.

    Parameters
    ----------
    command
        What to start. It leads a process group of its own.
    stop
        Called unless the command ends without an error, for what no process here stems from.
    environment
        All variables that it gets; a mark by which its processes are found is added.

    Attributes
    ----------
    answers
        How many questions it has answered.
    over
        Whether it is dead.

    Raises
    ------
    OSError
        If there is no such command.
    """

    def __init__(
        self, command: Sequence[str], stop: Callable[[], None], environment: Mapping[str, str]
    ) -> None:
        pipe = subprocess.PIPE
        self._mark = uuid.uuid4().hex
        self._process = subprocess.Popen(  # noqa: S603
            command,
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            bufsize=0,
            start_new_session=True,
            env={**environment, MARK: self._mark},
        )
        self._stop = stop
        self._starter = os.getpid()
        streams = (self._process.stdin, self._process.stdout, self._process.stderr)
        self._in, self._out, self._err = (stream.fileno() for stream in streams if stream is not None)
        for pipe_end in (self._in, self._out, self._err):
            os.set_blocking(pipe_end, False)
        _widen(self._in)
        self._known: set[tuple[int, str]] = set()
        self._words = Words(self._err)
        self._asked = 0
        self.answers = 0
        self.over = False

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def ask(
        self, header: Mapping[str, Any], arrays: Mapping[str, Array], patience: Patience
    ) -> tuple[Reply, Array | None]:
        """Ask one question and wait for its answer.

        Raises
        ------
        LostError
            If it did not come in time, or the worker died or answered something else; it is dead then.
        """
        self._words.forget()
        reader = FrameReader(noisy=not self._asked)
        self._asked += 1
        try:
            self._exchange(pack({**header, "id": self._asked}, arrays), reader, patience)
            reply, array = reader.reply()
            if reply.id != self._asked:
                raise FrameError("it answers another question")
        except FrameError as error:
            self.kill()
            raise LostError(f"sent what is not an answer ({error})") from None
        except BaseException:  # Ctrl-C too: what was half said cannot be continued
            self.kill()
            raise
        self.answers += 1
        return reply, array

    def _exchange(self, outgoing: list[memoryview], reader: FrameReader, patience: Patience) -> None:
        started = time.monotonic()
        ends, beats = started + patience.seconds, started + BEAT
        poll = select.poll()
        poll.register(self._in, select.POLLOUT)
        poll.register(self._out, select.POLLIN)
        poll.register(self._err, select.POLLIN)
        while missing := reader.missing():
            if (left := ends - time.monotonic()) <= 0:
                raise LostError(
                    f"did not answer within {patience.seconds:g} s{self._where_it_hangs()}; "
                    f"see {patience.option}"
                )
            if patience.beat is not None and time.monotonic() > beats:
                patience.beat(time.monotonic() - started, self.last_words.rpartition("\n")[2])
                beats += BEAT
            ready = {end for end, _ in poll.poll(min(left, TICK) * 1000)}
            if self._err in ready and not self._words.listen():
                poll.unregister(self._err)
            if self._in in ready and not self._write(outgoing):
                poll.unregister(self._in)
            if self._out in ready:
                data = os.read(self._out, min(missing, PIPE_SIZE))
                if not data:
                    raise self._lost()
                reader.feed(data)
            elif self._process.poll() is not None:
                raise self._lost()

    def _write(self, outgoing: list[memoryview]) -> bool:
        """Write what fits now; whether more is to be written."""
        try:
            count = os.write(self._in, outgoing[0])
        except BrokenPipeError:
            raise self._lost() from None
        outgoing[0] = outgoing[0][count:]
        if not outgoing[0]:
            del outgoing[0]
        return bool(outgoing)

    def _lost(self) -> LostError:
        """Say how it ended."""
        self._wait(1)
        code = self._process.returncode
        self.kill()
        if code is None:
            return LostError("closed its connection to the suite")
        number = -code if code < 0 else code - 128  # as a shell or a container tells it
        name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
        hint = ", as happens where memory runs out" if number == signal.SIGKILL else ""
        if code < 0:
            return LostError(f"was killed by {name}{self._words.place()}{hint}", code)
        return LostError(f"exited with code {code}" + (f" ({name}{hint})" if number > 0 else ""), code)

    def _where_it_hangs(self) -> str:
        """Ask a worker that hangs for its stack."""
        self._process.send_signal(signal.SIGUSR1)
        poll = select.poll()
        poll.register(self._err, select.POLLIN)
        ends = time.monotonic() + 0.5
        while time.monotonic() < ends:
            if poll.poll(50):
                if not self._words.listen():
                    break
            elif self._words.place():  # and it says no more
                break
        return self._words.place()

    @property
    def last_words(self) -> str:
        """The end of what it wrote to standard error since the last question, without stacks."""
        return self._words.last

    def close(self) -> None:
        """End it in order, or else by force; again, or in a fork of the suite, is harmless."""
        if self.over or self._process.stdin is None or os.getpid() != self._starter:
            return
        self._known = stemming_from(self.pid, self._mark)
        self._process.stdin.close()
        self._wait(GRACE)
        self.kill()

    def _wait(self, seconds: float) -> None:
        """Wait for its end and listen meanwhile: a full pipe would keep it from ending."""
        poll = select.poll()
        poll.register(self._err, select.POLLIN)
        ends = time.monotonic() + seconds
        while self._process.poll() is None and time.monotonic() < ends:
            if poll.poll(20) and not self._words.listen():
                poll.unregister(self._err)

    def kill(self) -> None:
        """Kill all its processes (see `leftovers`) and whatever else belongs to it; its last words stay."""
        if self.over:
            return
        self.over = True
        if self._process.poll() != 0:
            self._stop()
        end_all(self.pid, self._mark, self._known)
        shutil.rmtree(folder_for_children(self._mark), ignore_errors=True)
        with contextlib.suppress(
            ProcessLookupError, PermissionError
        ):  # nobody is left; macOS says the latter
            os.killpg(self.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):  # stuck in a driver: the kernel ends it later
            self._process.wait(GRACE)
        self._words.listen()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()


def _widen(pipe: int) -> None:
    """Let a pipe hold more than 64 KiB, which quadruples its speed, where the system permits it."""
    if sys.platform == "linux":
        import fcntl

        with contextlib.suppress(PermissionError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
