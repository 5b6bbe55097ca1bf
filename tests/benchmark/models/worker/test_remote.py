"""A remote model is a model: it gives the same scores, survives a crash and leaves nothing behind."""

from __future__ import annotations

import gc
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

from benchmark.models.contract import Encoder, Model, Prompted
from benchmark.models.plugins import find_model
from benchmark.models.worker.environments import Deadlines, Interpreter
from benchmark.models.worker.remote import RemoteModel
from cohorts.errors import ModelError, UsageError
from tests.benchmark.fake_records import FakeRecords, scores_of
from tests.benchmark.models.worker.processes import alive, group_of, on_linux, wait_until

PLUGINS = Path(__file__).parents[3] / "plugins"
GOOD = f"{PLUGINS / 'good.py'}:Amplitude"
DEATHS = PLUGINS / "broken" / "deaths.py"
NOISE = PLUGINS / "broken" / "noise.py"
HERE = Interpreter(sys.executable)


def worker_of(model: RemoteModel) -> int:
    return model._workers._worker.pid


@pytest.mark.parametrize("size", [1, 7, 64])
def test_same_scores_as_in_this_process(size: int) -> None:
    records = FakeRecords(records=9, windows=3)
    with RemoteModel(GOOD, HERE) as model:
        assert isinstance(model, Model)
        assert not isinstance(model, Encoder)
        assert not isinstance(model, Prompted)
        scores = scores_of(model, records, size)
    np.testing.assert_array_equal(scores, scores_of(find_model(GOOD).build("cpu"), records, size))


def test_card_and_code_are_those_of_the_model() -> None:
    source = find_model(GOOD)
    with RemoteModel(GOOD, HERE) as model:
        assert (model.card, model.code_hash) == (source.card, source.code_hash)
        assert model.python == ".".join(str(part) for part in sys.version_info[:3])
        assert model.packages["numpy"] == np.__version__


ABLE = """
import numpy as np

class Able:
    card = {"name": "able", "outputs": "any", "trained_on": []}

    def __init__(self, device="none"):
        self.device = device
        self.prompts = None

    def set_concepts(self, prompts):
        self.prompts = {key: texts for key, texts in prompts.items() if isinstance(texts, tuple)}

    def embed(self, batch):
        return batch.signals.mean(axis=2).astype(np.float16)

    def predict(self, batch):
        if np.isnan(batch.signals).any():
            import os
            os._exit(9)
        lengths = [len("".join(texts)) for texts in self.prompts.values()]
        return np.tile([*lengths, len(self.device)], (len(batch), 1))
"""


def test_abilities_are_passed_through_and_prompts_outlive_a_crash(tmp_path: Path) -> None:
    (tmp_path / "able.py").write_text(ABLE)
    batch = FakeRecords().batch()
    with RemoteModel(f"{tmp_path / 'able.py'}:Able", HERE, device="cuda:0") as model:
        assert isinstance(model, Encoder)
        assert isinstance(model, Prompted)
        features = model.embed(batch)
        assert features.dtype == np.float16
        np.testing.assert_array_equal(features, batch.signals.mean(axis=2).astype(np.float16))
        model.set_concepts({"AF": ("atrial", "fibrillation"), "LVH": ("large",)})
        expected = np.tile([18, 5, 6], (len(batch), 1))
        np.testing.assert_array_equal(model.predict(batch), expected)
        broken = FakeRecords().batch()
        broken.signals[:] = np.nan
        with pytest.raises(ModelError, match=r"able\.predict: the worker exited with code 9"):
            model.predict(broken)
        np.testing.assert_array_equal(model.predict(batch), expected)


def test_a_crash_costs_one_cell_and_one_start() -> None:
    with RemoteModel(f"{DEATHS}:CrashesOnce", HERE) as model:
        first = worker_of(model)
        with pytest.raises(ModelError, match=r"was killed by SIGSEGV at deaths.py:\d+"):
            scores_of(model, FakeRecords(records=12), size=4)
        assert worker_of(model) == first
        assert scores_of(model, FakeRecords(records=4), size=4).shape == (4, 2)
        assert worker_of(model) != first


def test_an_exception_costs_no_start() -> None:
    with RemoteModel(f"{PLUGINS / 'broken' / 'answers.py'}:RaisesOnTheThirdBatch", HERE) as model:
        first = worker_of(model)
        with pytest.raises(ModelError, match="the third batch is one too many"):
            scores_of(model, FakeRecords(records=12), size=4)
        assert scores_of(model, FakeRecords(records=4), size=4).shape == (4, 2)
        assert worker_of(model) == first


@pytest.mark.parametrize(
    ("spec", "words"),
    [("nowhere/model.py:Model", "No file"), (f"{DEATHS}:", "names no class"), (":Model", "No package there")],
)
def test_wrong_names(spec: str, words: str) -> None:
    with pytest.raises((UsageError, ModelError), match=words):
        RemoteModel(spec, HERE)


@pytest.mark.parametrize(
    ("python", "words"),
    [
        ("/no/such/python", r"cannot be started \(No such file or directory\)"),
        (str(PLUGINS), r"cannot be started \(Permission denied\)"),
        (str(PLUGINS / "good.py"), r"cannot be started \(Permission denied\)"),
        ("true", "exited with code 0"),
    ],
)
def test_interpreters_that_are_none(python: str, words: str) -> None:
    with pytest.raises(ModelError, match=f"{words}.*It has to be a Python 3.8 or newer with numpy") as caught:
        RemoteModel(GOOD, Interpreter(python))
    assert "\n" not in str(caught.value)


def test_another_architecture_and_no_numpy(tmp_path: Path) -> None:
    program = tmp_path / "python"
    program.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(100))
    program.chmod(stat.S_IRWXU)
    with pytest.raises(ModelError, match=r"cannot be started \(Exec format error\)"):
        RemoteModel(GOOD, Interpreter(str(program)))
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    with pytest.raises(ModelError, match=r"cannot import numpy \(No module named 'numpy'\)\. It has to be"):
        RemoteModel(GOOD, Interpreter(str(program)))


@on_linux
def test_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    files = len(list(Path("/proc/self/fd").iterdir()))
    specs = [GOOD, f"{DEATHS}:Segfault", f"{DEATHS}:Sleeps", f"{NOISE}:LeavesChildren"]
    for spec in specs:
        model = RemoteModel(spec, HERE, Deadlines(batch=0.3))
        group = worker_of(model)
        assert group in group_of(group)
        try:
            scores_of(model, FakeRecords())
        except ModelError:
            wait_until(lambda group=group: group_of(group) == [], 1)
        model.close()
        wait_until(lambda group=group: group_of(group) == [], 1)
        with pytest.raises(ChildProcessError):
            os.waitpid(group, 0)  # reaped already: no zombie
    assert len(list(Path("/proc/self/fd").iterdir())) == files
    assert list(tmp_path.iterdir()) == []


@on_linux
@pytest.mark.parametrize("how", ["closed", "suite killed", "worker killed"])
def test_nothing_is_left_outside_of_the_group(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = tmp_path / "ids"
    monkeypatch.setenv("IDS", str(ids))
    place = Interpreter(sys.executable, variables=("IDS",))
    if how == "suite killed":
        code = SUITE.replace("(sys.executable)", "(sys.executable, variables=('IDS',))").replace(
            "model.predict", "import os; os.kill(os.getpid(), 9); model.predict"
        )
        command = [sys.executable, "-c", code, f"{NOISE}:LeavesSessions"]
        subprocess.run(command, cwd=PLUGINS.parents[1], capture_output=True, check=False)
        left = [int(number) for number in ids.read_text().split()]
    else:
        model = RemoteModel(f"{NOISE}:LeavesSessions{'AndDies' if how == 'worker killed' else ''}", place)
        left = [int(number) for number in ids.read_text().split()]
        assert all(map(alive, left))
        if how == "closed":
            model.close()
        else:
            with pytest.raises(ModelError, match="was killed by SIGKILL"):
                scores_of(model, FakeRecords())
            os.kill(left.pop(1), signal.SIGKILL)  # without the mark, and its parent has ended: it escapes
    wait_until(lambda: not any(map(alive, left)))


@on_linux
def test_the_worker_ends_with_its_model() -> None:
    model = RemoteModel(GOOD, HERE)
    group = worker_of(model)
    gc.disable()
    try:
        del model
        wait_until(lambda: group_of(group) == [], 1)
    finally:
        gc.enable()


@on_linux
def test_a_fork_of_the_suite_ends_nothing() -> None:
    with RemoteModel(GOOD, HERE) as model:
        if os.fork() == 0:
            model.close()
            os._exit(0)
        os.wait()
        group = worker_of(model)
        assert group in group_of(group)
        assert model.predict(FakeRecords().batch()).shape == (10, 2)
        assert worker_of(model) == group


SUITE = """
import sys
import numpy as np
from benchmark.models import Batch
from benchmark.models.worker.environments import Interpreter
from benchmark.models.worker.remote import RemoteModel

model = RemoteModel(sys.argv[1], Interpreter(sys.executable))
print(model._workers._worker.pid, flush=True)
model.predict(Batch(np.zeros((1, 1, 1), np.float32), np.zeros(1, np.float32), np.array([""])))
"""


@on_linux
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_the_worker_ends_with_the_suite(how: signal.Signals) -> None:
    suite = subprocess.Popen(
        [sys.executable, "-c", SUITE, f"{DEATHS}:LeavesAChildAndSpins"],
        cwd=PLUGINS.parents[1],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert suite.stdout is not None
    group = int(suite.stdout.readline())
    time.sleep(0.3)
    assert len(group_of(group)) == 3  # the worker, its guard and the model's child
    suite.send_signal(how)
    _, words = suite.communicate(timeout=20)
    assert suite.returncode == -how
    assert ("KeyboardInterrupt" in words) == (how == signal.SIGINT)
    wait_until(lambda: group_of(group) == [])
