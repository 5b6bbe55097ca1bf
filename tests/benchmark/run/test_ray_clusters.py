"""Preparing and shards on real clusters of Ray: what a death, a full disk or an end costs."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from benchmark.config import Places
from benchmark.records.run_folder import load_run_file
from benchmark.run.ray_engine import RayEngine
from tests.benchmark.run.ray_runs import finish, predictions, start, wait_until
from tests.benchmark.run.sharded import Heard, asked, askers, write_sharded

pytestmark = pytest.mark.slow


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return write_sharded(tmp_path)


@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_cohorts_are_prepared_as_tasks(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray")
    monkeypatch.chdir(home)
    (home / "data/ptb-xl/ptbxl_database.csv").write_text("no table")
    places, heard = Places(home / "data", home / "cache"), Heard()
    with RayEngine("") as engine:
        engine.prepare(["georgia", "ptb-xl", "georgia"], places, heard)
    stores = [path.name for path in (home / "cache/stores").glob("*.h5")]
    assert len(stores) == 1
    assert stores[0].startswith("georgia")
    machine = re.escape(platform.node())
    said = "\n".join(heard.lines)
    assert re.search(rf"^Prepared georgia on {machine} \([0-9a-f]{{8}}\): ", said, re.MULTILINE)
    assert re.search(
        rf"^Not prepared on {machine} \([0-9a-f]{{8}}\): ptb-xl: .*ptbxl_database", said, re.MULTILINE
    )
    assert f"{platform.node()}: Preparing georgia: 40 records" in said
    heard.lines.clear()
    with RayEngine("") as engine:
        engine.prepare(["georgia"], places, heard)
    assert not heard.lines, "what is prepared starts no Ray"


def test_ray_computes_the_shards_of_one_process(home: Path) -> None:
    models = ["--model", "sharded.py:Sharded", "--model", "sharded.py:Embedding"]
    assert finish(start(home, *models, "--out", "here", cache="here-cache"))[0] == 0
    here = asked(home)
    (home / "asked.txt").unlink()
    code, said = finish(start(home, *models, "--engine", "ray", "--out", "ray", cache="ray-cache"))
    assert code == 0, said
    assert predictions(home / "here") == predictions(home / "ray")
    assert len(predictions(home / "here")) >= 6
    assert Counter(asked(home)) == Counter(here), "no batch more than once, none less"
    lines = (home / "asked.txt").read_text().split()
    assert len({line.partition("/")[2] for line in lines}) >= 3 + 3 + 8
    assert "sharded on georgia: 3 shards" in said


@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_a_machine_that_dies_costs_the_shard_that_it_computes(home: Path, cluster: Any) -> None:
    options = ["--model", "sharded.py:Sharded", "--cohort", "georgia"]
    assert finish(start(home, *options, "--out", "here", cache="here-cache"))[0] == 0
    here = asked(home)
    (home / "asked.txt").unlink()
    (home / "hold").touch()
    dying = cluster.add_node(num_cpus=1)
    run = start(home, *options, "--engine", "ray", "--address", cluster.address, "--out", "ray")
    wait_until((home / "began").exists)
    cut_off = asked(home)[-1]
    process = int((home / "asked.txt").read_text().split()[-1].partition("/")[2])
    cluster.add_node(num_cpus=1)
    cluster.remove_node(dying, allow_graceful=False)
    with contextlib.suppress(ProcessLookupError):  # it may outlive its node for a moment
        os.kill(process, signal.SIGKILL)
    (home / "hold").unlink()
    code, said = finish(run)
    assert code == 0, said
    assert predictions(home / "here") == predictions(home / "ray")
    assert Counter(asked(home)) == Counter([*here, cut_off])
    assert {cell.status for cell in load_run_file(home / "ray").cells} == {"done"}


@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_a_machine_with_a_full_disk_is_left_out_by_name(home: Path, cluster: Any) -> None:
    options = ["--model", "sharded.py:Sharded", "--cohort", "georgia"]
    assert finish(start(home, *options, "--out", "here", cache="here-cache"))[0] == 0
    (home / "ray-cache").mkdir()
    # A machine of its own as far as its disk goes: 64 KiB, in a name space that nobody else sees.
    mount = f"mount -t tmpfs -o size=64k full {home / 'ray-cache'}"
    node = f"exec ray start --address {cluster.address} --num-cpus 1 --block --disable-usage-stats"
    program = ["unshare", "--mount", "sh", "-c", f"{mount} && {node}"]
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode:
        pytest.skip("nobody but root has name spaces of mounts")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    log = home / "node.txt"
    with log.open("w") as said_by_node:
        full = subprocess.Popen(program, env={**os.environ, "PATH": path}, stdout=said_by_node)
    try:
        wait_until(lambda: "runtime started" in log.read_text())
        run = start(
            home, *options, "--engine", "ray", "--address", cluster.address, "--out", "ray", cache="ray-cache"
        )
        heard = []
        assert run.stderr is not None
        for line in run.stderr:
            heard.append(line)
            if line.startswith("Not prepared on ") or "is prepared here" in line:
                cluster.add_node(num_cpus=1)
                break
        code, said = finish(run)
    finally:
        full.terminate()
        full.wait(timeout=60)
    said = "".join([*heard, said])
    assert code == 0, said
    assert re.search(r"^Not used: machine .*No space left on device", said, re.MULTILINE), said
    assert predictions(home / "here") == predictions(home / "ray")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_who_is_ended_between_two_shards_goes_on_with_the_next(home: Path, number: int) -> None:
    options = ["--model", "sharded.py:Sharded", "--cohort", "georgia"]
    assert finish(start(home, *options, "--out", "here", cache="here-cache"))[0] == 0
    here = asked(home)
    (home / "asked.txt").unlink()
    (home / "hold").touch()  # the second batch that is asked about waits
    command = [*options, "--engine", "ray", "--out", "ray"]
    first = start(home, *command, cache="ray-cache")
    wait_until((home / "began").exists)
    first.send_signal(number)
    assert finish(first)[0] in (143, -9)
    wait_until(lambda: not any(Path(f"/proc/{process}").exists() for process in askers(home)))
    cut_off = asked(home)[1:]  # all but the first shard, as many as began
    (home / "hold").unlink()
    code, said = finish(start(home, *command, cache="ray-cache"))
    assert code == 0, said
    assert predictions(home / "here") == predictions(home / "ray")
    assert Counter(asked(home)) == Counter([*here, *cut_off])


def test_a_training_elsewhere_is_heard_here(home: Path) -> None:
    learning = ["--model", "resnet1d", "--cohort", "georgia", "--engine", "ray", "--out", "ray"]
    code, said = finish(start(home, *learning))
    assert code == 0, said
    heard = [line for line in said.splitlines() if line.startswith(f"{platform.node()}: ")]
    assert any("epoch" in line for line in heard)
    assert len(heard) < 30
