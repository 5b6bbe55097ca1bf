"""Mutated files before every parser, in a process with little time and memory for each of them."""

from __future__ import annotations

import json
import mmap
import random
import resource
import shutil
import signal
import struct
import traceback
import warnings
from functools import partial
from pathlib import Path
from typing import NamedTuple

from benchmark.models.worker.frames import FrameError
from cohorts.download.disk import FileError
from cohorts.errors import LeadboardError
from tests.soak.faults import Fault, Lost
from tests.soak.mutation import mutated
from tests.soak.parsers import PARSERS, Parser
from tests.soak.processes import fork
from tests.soak.stage import Stage

SECONDS = 20
"""For one file; a whole one takes milliseconds."""

MEMORY = 2**30
"""Bytes that reading a small file may ask for, whatever it announces."""

EXPECTED = (LeadboardError, FileError, FrameError)
"""One sentence each; the last two become the reason of a failure that is one sentence again."""


class Complaint(NamedTuple):
    """What a parser did wrong with one mutation."""

    number: int
    what: str


def fuzz(stage: Stage, parser: Parser, chance: random.Random, home: Path) -> int:
    """Mutate one file after the other; gives how many."""
    numbers = mmap.mmap(-1, 8)
    verdict = home / "verdict.json"
    seed = chance.random()
    for name in parser.after:
        stage.after(name)

    def work() -> int:
        folder = home / "files"
        folder.mkdir()
        complaint = _batch(stage, parser, seed, folder, numbers)
        verdict.write_text(json.dumps(complaint))
        return 0

    ended = fork(work, stage.root / "said.txt", _limit_files).wait(SECONDS * 20)
    (number,) = struct.unpack("q", numbers)
    if verdict.is_file():
        complaint = json.loads(verdict.read_text())
        if complaint:
            raise Lost(f"mutation {complaint[0]}: {complaint[1]}")
        return parser.batch
    if ended.code == -signal.SIGALRM:
        raise Lost(f"mutation {number}: no end after {SECONDS} s")
    raise Lost(f"mutation {number}: the process ended with {ended.code}: {ended.sentence}")


def _limit_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (MEMORY, MEMORY))


def _batch(stage: Stage, parser: Parser, seed: float, folder: Path, numbers: mmap.mmap) -> Complaint | None:
    warnings.simplefilter("ignore")
    parser.lay_out(stage, folder)
    files = sorted(path for path in folder.glob(parser.pattern) if path.is_file())
    parser.read(files[0], folder)  # whole: it must succeed, and imports what it needs
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY, taken + MEMORY))
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss + MEMORY // 2**11
    for number in range(parser.batch):
        numbers[:] = struct.pack("q", number)
        chance = random.Random(f"{seed} {number}")
        path = chance.choice(files)
        content = path.read_bytes()
        path.unlink()  # it may be linked to the original
        path.write_bytes(mutated(content, chance))
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        wrong = _complaint(parser, path, folder)
        signal.setitimer(signal.ITIMER_REAL, 0)
        if not wrong and resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > most:
            wrong = "it took half a gigabyte"
        if wrong:
            _keep(path, content, stage)
            return Complaint(number, f"{path.relative_to(folder)}: {wrong}")
        if path.is_dir():
            shutil.rmtree(path)
        path.write_bytes(content)
    return None


def _keep(path: Path, content: bytes, stage: Stage) -> None:
    """Say how long both files are, for whoever repeats it; the mutation itself can be made again."""
    print(f"{path.name}: {len(content):,} bytes, mutated {path.stat().st_size:,}", flush=True)


def _complaint(parser: Parser, path: Path, folder: Path) -> str:
    """Read a mutated file; what is wrong with the answer, "" if nothing."""
    try:
        parser.read(path, folder)
    except EXPECTED as error:
        return _bad_manners(error, parser.reserves)
    except MemoryError:
        return "it asked for more than a gigabyte"
    except Exception as error:  # noqa: BLE001 - which exceptions there are is what is looked for
        frame = traceback.extract_tb(error.__traceback__)[-1]
        ours = [f for f in traceback.extract_tb(error.__traceback__) if "/site-packages/" not in f.filename][
            -1
        ]
        where = f"{Path(ours.filename).name}:{ours.lineno}, {Path(frame.filename).name}:{frame.lineno}"
        return f"{type(error).__name__} at {where}: {str(error)[:160]!a}"
    return ""


def _bad_manners(error: Exception, reserves: bool) -> str:
    """An error is one printable sentence of bearable length, and not the answer to a full memory."""
    text = str(error)
    if not text.isprintable():
        return f"a message that is not printable: {text[:200]!a}"
    if len(text) > 2000:
        return f"a message of {len(text):,} characters: {text[:100]}"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, MemoryError) and not reserves:
            return f"it asked for more than a gigabyte before it said: {text[:200]}"
        cause = cause.__cause__ or cause.__context__
    return ""


def fuzzings(stage: Stage) -> list[Fault]:
    """A row for every parser."""
    return [
        Fault("fuzzing", parser.what, "mutated; 20 s and 1 GiB for each", partial(fuzz, stage, parser))
        for parser in PARSERS
    ]
