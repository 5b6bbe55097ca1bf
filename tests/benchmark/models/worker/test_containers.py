"""A worker in a container: Docker is called as it should be, and the container never stays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmark.models.plugins import find_model
from benchmark.models.worker.containers import Container
from benchmark.models.worker.environments import WORKER, Deadlines
from benchmark.models.worker.remote import RemoteModel
from cohorts.errors import ModelError
from tests.benchmark.fake_records import FakeRecords, scores_of
from tests.benchmark.models.worker.processes import group_of, on_linux, wait_until

PLUGINS = Path(__file__).parents[3] / "plugins"
GOOD = f"{PLUGINS / 'good.py'}:Amplitude"
DEATHS = PLUGINS / "broken" / "deaths.py"


def test_container(engine: Path) -> None:
    container = Container("some/image:1", memory=2**31, variables=("SEEN",))
    records = FakeRecords()
    with RemoteModel(GOOD, container, device="cuda") as model:
        scores = scores_of(model, records)
    np.testing.assert_array_equal(scores, scores_of(find_model(GOOD).build("cpu"), records))
    first, *others = (engine.parent / "log").read_text().strip().split("\n\n")
    arguments = first.split("\n")
    assert arguments[0] == "run"
    assert arguments[-3:] == ["some/image:1", "-u", str(WORKER)]
    assert arguments[arguments.index("--memory") + 1] == str(2**31)
    assert arguments[arguments.index("--env") + 1] == "SEEN"
    assert arguments[arguments.index("--network") + 1] == "none"
    assert arguments[arguments.index("--gpus") + 1] == "all"
    assert f"{WORKER.parent}:{WORKER.parent}:ro" in arguments
    assert f"{PLUGINS}:{PLUGINS}:ro" in arguments
    assert others == []


@on_linux
def test_a_container_that_hangs_is_killed_by_name(engine: Path) -> None:
    with RemoteModel(f"{DEATHS}:Sleeps", Container("some/image:1"), Deadlines(batch=0.3)) as model:
        container = int(next(engine.parent.glob("logleadboard-*")).read_text())
        with pytest.raises(ModelError, match=r"the worker did not answer within 0\.3 s at deaths\.py"):
            model.predict(FakeRecords().batch())
        wait_until(lambda: group_of(container) == [])
    assert "\n\nkill\nleadboard-" in (engine.parent / "log").read_text()


@pytest.mark.usefixtures("engine")
def test_how_a_container_ended() -> None:
    with RemoteModel(f"{DEATHS}:Killed", Container("some/image:1")) as model:
        expected = r"exited with code 137 \(SIGKILL, as happens where memory runs out\)"
        with pytest.raises(ModelError, match=expected):
            model.predict(FakeRecords().batch())
    with pytest.raises(
        ModelError,
        match=r"exited with code 125; its last words: docker: Error.*denied\. 'docker run --rm "
        r"no-such-image' has to work first: engine, rights and image\.$",
    ):
        RemoteModel(GOOD, Container("no-such-image"))


def test_without_docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        ModelError,
        match=r"docker image some/image:1 cannot be started \(No such file or directory\)\. Install",
    ):
        RemoteModel(GOOD, Container("some/image:1"))
