"""What happens to a store when disks and processes fail, and how much memory it takes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from cohorts.catalogue import find_cohort, open_cohort
from cohorts.cohort import Cohort, IndexRow
from cohorts.errors import LeadboardError, UsageError
from cohorts.families.challenge import ChallengeCohort
from cohorts.preparing import prepare
from cohorts.store import Store

PROJECT = Path(__file__).resolve().parents[2]


# --- processes and disks -----------------------------------------------------------------------------------


KILLED = """
import os, signal, sys
from pathlib import Path
from cohorts.catalogue import find_cohort
from cohorts.preparing import prepare
def progress(done, total):
    if done == 4:
        os.kill(os.getpid(), signal.SIGKILL)
prepare(find_cohort("georgia")(Path(sys.argv[1])), Path(sys.argv[2]), progress=progress)
"""


def test_kill_9_leaves_nothing_that_is_taken_for_a_store(georgia, cache):
    killed = subprocess.run([sys.executable, "-c", KILLED, georgia().root, cache], cwd=PROJECT, check=False)
    assert killed.returncode == -signal.SIGKILL
    left = sorted(path.suffix for path in (cache / "stores").iterdir())
    assert left == [".lock", ".partial"]
    assert len(prepare(georgia(), cache)) == 6
    assert sorted(path.suffix for path in (cache / "stores").iterdir()) == [".h5", ".lock"]


def test_an_interrupt_leaves_the_former_store(georgia, cache):
    before = prepare(georgia(), cache)
    os.utime(georgia().root / "g1" / "X0001.hea", ns=(1, 1))

    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(georgia(), cache, progress=interrupt)
    assert not list((cache / "stores").glob("*.partial"))
    assert Store(before.path).stamp == before.stamp


FULL = """
import resource, sys
from pathlib import Path
from cohorts.catalogue import find_cohort
from cohorts.errors import LeadboardError
from cohorts.preparing import prepare
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
try:
    prepare(find_cohort("georgia")(Path(sys.argv[1])), Path(sys.argv[2]))
except LeadboardError as error:
    print(error)
"""


@pytest.mark.parametrize("room", [4_000, 1_000_000])
def test_a_full_disk_is_told_and_leaves_nothing(georgia, cache, room):
    full = subprocess.run(
        [sys.executable, "-c", FULL, georgia().root, cache, str(room)],
        cwd=PROJECT,
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert "cannot be written (File too large); free some space" in full.stdout
    assert full.stdout.count("\n") == 1
    assert not list((cache / "stores").glob("*.partial"))
    assert len(prepare(georgia(), cache)) == 6


def test_a_cache_that_is_a_file_is_told(georgia, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(LeadboardError, match=r"lock: Not a directory; choose another cache folder"):
        prepare(georgia(), tmp_path / "file")


def test_a_bug_is_not_taken_for_a_full_disk(georgia, cache, monkeypatch):
    def bug(self, path):
        raise RuntimeError("a bug")

    monkeypatch.setattr(Cohort, "read_path", bug)
    with pytest.raises(RuntimeError, match="a bug"):
        prepare(georgia(), cache)
    assert not list((cache / "stores").glob("*.partial"))


def test_a_disk_that_fails_under_one_record_costs_that_record(georgia, cache, monkeypatch):
    read_signal = Cohort._read_signal

    def failing(self, path):
        if path.stem == "X0002":
            raise OSError(5, "Input/output error", str(path))
        return read_signal(self, path)

    monkeypatch.setattr(Cohort, "_read_signal", failing)
    store = prepare(georgia(), cache)
    assert len(store) == 5
    assert store.quarantine["reason"][0] == "X0002.hea cannot be read (Input/output error)."


def test_a_release_that_vanishes_is_a_usage_error(write_release, cache):
    cohort = open_cohort("ptb-xl", write_release("ptb-xl"))
    shutil.rmtree(cohort.root / "records500")
    with pytest.raises(UsageError, match="records500 cannot be read"):
        prepare(cohort, cache)


# --- memory -----------------------------------------------------------------------------------------------


class Repeated(ChallengeCohort):
    """One recording of 2 MB under many names, so that a release of any size is written at once."""

    card = find_cohort("georgia").card

    def __init__(self, root: Path, times: int) -> None:
        super().__init__(root)
        self.times = times

    @property
    def variant(self) -> str:
        return f"{self.times}x"

    def _read_index(self):
        for number in range(self.times):
            yield IndexRow(record_id=f"{number:05d}", path="r.hea", statements=("426783006",))


def peak(root, cache, times):
    """Peak memory in MB of a new process that prepares and then streams ``times`` recordings."""
    script = textwrap.dedent(f"""
        import resource, sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from pathlib import Path
        from test_store_faults import Repeated
        from cohorts.preparing import prepare
        store = prepare(Repeated(Path({str(root)!r}), {times}), Path({str(cache)!r}))
        assert len(store) == {times}
        for position in range(len(store)):
            store.recording(position)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    """)
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT, check=True, capture_output=True, text=True
    )
    return float(done.stdout)


def test_memory_does_not_grow_with_the_cohort(tmp_path, cache, write_record, counts_of):
    write_record(tmp_path / "r.hea", counts_of(1, 87_000))
    few, many = (peak(tmp_path, cache, times) for times in (8, 128))
    # 128 recordings are 267 MB in the store and twice that in mV.
    assert many - few < 40, (few, many)


def test_lock_is_released_when_preparing_fails(georgia, cache, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(Cohort, "read_path", lambda self, path: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            prepare(georgia(), cache)
    done = threading.Thread(target=prepare, args=(georgia(), cache), daemon=True)
    done.start()
    done.join(20)
    assert not done.is_alive()


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts open files in /proc")
def test_open_files_do_not_pile_up(georgia, cache):
    def opened():
        return len(list(Path("/proc/self/fd").iterdir()))

    prepare(georgia(), cache)
    before = opened()
    for _ in range(30):
        prepare(georgia(), cache).counts(0)
    assert opened() - before < 5
