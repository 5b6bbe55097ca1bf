"""Each of the doctor's checks is shown the fault that it looks for."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import socket
import time
from pathlib import Path

import filelock
import pytest

from benchmark.cli import app
from benchmark.config import Places
from benchmark.progress import Reporter
from benchmark.run.cohorts import prepare_cohort
from benchmark.run.doctor import examine, of_folders, of_software
from benchmark.run.doctor.machine import Finding, Machine
from cohorts.catalogue import find_cohort
from tests.benchmark.run.doctor.examined import found
from tests.benchmark.tiny_run import make_places
from tests.cohorts.own_hospital import COLUMNS, FILES, HEAD, ID, PEOPLE, known, table, write
from tests.releases import make_signal, write_record


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Places:
    """Georgia, prepared; PTB-XL, not prepared."""
    places = make_places(tmp_path_factory.mktemp("places"))
    prepare_cohort("georgia", places, Reporter())
    return places


def test_a_sound_machine(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    machine = Machine(places)
    checks = [
        of_folders.folders,
        of_folders.cache,
        of_folders.disk,
        of_folders.clock,
        of_folders.releases,
        of_folders.stores,
        of_software.language,
        of_software.home,
        of_software.compiled_code,
        of_software.accelerator,
    ]
    assert {check(machine).status for check in checks} == {"fine"}
    assert not places.cache.exists()  # what was made to try it is taken away


def test_folders_that_cannot_be_used(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LEADBOARD_DATA", "/drmiller")
    assert call("--json", "--model", "cart") == 1
    printed = capsys.readouterr().out
    assert json.loads(printed)["checks"][0]["found"] == "the folders of this call cannot be used"
    assert "miller" not in printed
    call("--model", "cart")
    assert "No folder /drmiller" in capsys.readouterr().out


def test_little_room(prepared: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(prepared.cache)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=2**30))
    found(of_folders.disk, prepared, "1.0 GiB free", "120 records")


def test_a_part_of_a_release(prepared: Places) -> None:
    found(of_folders.releases, prepared, "georgia 40 of 10,344", "ptb-xl 120 of 21,799")


def test_a_release_that_cannot_be_read(places: Places) -> None:
    assert places.data is not None
    folder = places.data / "ptb-xl"
    (folder / "records500").mkdir(parents=True)
    (folder / "records500/1.hea").touch()
    (folder / "ptbxl_database.csv").write_text("nothing\n")
    found(of_folders.releases, places, "ptb-xl cannot be read")


def georgia(prepared: Places, tmp_path: Path) -> tuple[Places, Path]:
    """Georgia and its store, to be spoilt."""
    assert prepared.data is not None
    cohort = find_cohort("georgia").card.folder
    shutil.copytree(prepared.data / cohort, tmp_path / "data" / cohort)
    places = Places(tmp_path / "data", tmp_path / "cache")
    prepare_cohort("georgia", places, Reporter())
    [store] = (places.cache / "stores").glob("*.h5")
    return places, store


def test_an_old_store(prepared: Places, tmp_path: Path) -> None:
    places, store = georgia(prepared, tmp_path)
    assert of_folders.stores(Machine(places)).status == "fine"
    assert places.data is not None
    header = next(places.data.rglob("*.hea"))
    header.write_text(header.read_text() + "# more\n")
    found(of_folders.stores, places, "georgia", "changed since")
    prepare_cohort("georgia", places, Reporter())
    assert of_folders.stores(Machine(places)).status == "fine"
    store.write_bytes(b"a store of another time")
    found(of_folders.stores, places, "georgia")


def test_a_list_of_recordings_that_are_not_here(prepared: Places, tmp_path: Path) -> None:
    places, _ = georgia(prepared, tmp_path)
    assert places.data is not None
    for path in list(places.data.rglob("*.mat"))[:5]:
        path.unlink()
    prepare_cohort("georgia", places, Reporter())
    found(of_folders.releases, places, "georgia 35 of 10,344")


def test_missing_and_damaged_weights(places: Places) -> None:
    machine = Machine(places, models=("ecgfounder",))
    finding = of_folders.weights(machine)
    assert (finding.status, "ecgfounder" in finding.found) == ("problem", True)
    assert finding.where[0].startswith("leadboard weights ecgfounder --file ")
    folder = places.cache / "weights/ecgfounder"
    folder.mkdir(parents=True)
    (folder / "made.json").write_text("{}")
    damaged = of_folders.weights(machine)
    assert damaged.status == "problem"
    assert "damaged" in damaged.where[0]


def test_a_cache_that_cannot_be_written_to() -> None:
    found(of_folders.cache, Places(None, Path("/proc/leadboard/cache")), "cannot be written to")


def test_a_cache_without_locks(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    def no_locks(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", no_locks)
    found(of_folders.cache, places, "cannot be locked (No locks available)")


def test_a_cache_whose_locks_hold_nobody_back(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    monkeypatch.setattr(fcntl, "flock", lambda *_: None)
    found(of_folders.cache, places, "two can hold the same lock")


def test_a_networked_cache(places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = tmp_path / "mounts"
    monkeypatch.setattr(of_folders, "MOUNTS", mounts)
    mounts.write_text(f"/dev/sda / ext4 rw 0 0\nserver:/x {tmp_path} nfs rw,vers=3,local_lock=all 0 0\n")
    found(of_folders.cache, places, "lies on nfs", "locks hold on this machine alone")
    mounts.write_text(f"/dev/sda / ext4 rw 0 0\nserver:/x {tmp_path} nfs4 rw,local_lock=none 0 0\n")
    finding = of_folders.cache(Machine(places))
    assert finding.status == "fine"
    assert "nfs4" in finding.found


def test_a_clock_that_is_late(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 978_307_200.0)  # the first day of 2001
    found(of_folders.clock, places, "package was written after")


def test_a_store_from_the_future(prepared: Places, tmp_path: Path) -> None:
    stores = tmp_path / "cache/stores"
    stores.mkdir(parents=True)
    (stores / "x.h5").touch()
    os.utime(stores / "x.h5", (time.time() + 3600,) * 2)
    found(of_folders.clock, Places(None, tmp_path / "cache"), "stores were written after")


def call(*words: str) -> int:
    code = app(("doctor", *words), exit_on_error=False, print_error=False, result_action="return_value")
    assert isinstance(code, int)
    return code


def test_the_report_names_nobody(
    tmp_path: Path, prepared: Places, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = tmp_path / "of-doctor-miller"
    secret.mkdir()
    monkeypatch.setattr(socket, "gethostname", lambda: "st-marys-ward-3")
    monkeypatch.setattr("getpass.getuser", lambda: "drmiller")
    monkeypatch.setenv("HOME", str(secret / "home"))

    def fails(_: Path) -> tuple[str, str]:
        raise OSError(f"{secret}/x on st-marys-ward-3 by drmiller")

    monkeypatch.setattr(of_folders, "_mounted", fails)
    code = call("--json", "--data", str(prepared.data), "--cache", str(secret / "cache"), "--model", "cart")
    printed = capsys.readouterr().out
    answer = json.loads(printed)
    assert code == 1
    assert [check["name"] for check in answer["checks"]] == list(examine.CHECKS)
    assert {check["status"] for check in answer["checks"]} <= {"fine", "note", "problem"}
    assert all(check["do"] for check in answer["checks"] if check["status"] == "problem")
    for word in ("miller", "marys", str(tmp_path), str(prepared.data), "E0000"):
        assert word not in printed


def test_a_hostile_machine_is_examined_to_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("everything is broken")

    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    monkeypatch.setenv("HOME", "/nowhere")
    monkeypatch.setenv("LC_ALL", "xx_XX")
    monkeypatch.setenv("PATH", ":/nowhere")
    monkeypatch.setenv("LEADBOARD_DATA", "/nowhere")
    for thing, name in (
        (shutil, "disk_usage"),
        (resource, "getrlimit"),
        (filelock.FileLock, "acquire"),
        (Path, "home"),
        (of_folders, "installed_models"),
    ):
        monkeypatch.setattr(thing, name, broken)
    assert call() == 1
    said = capsys.readouterr().out
    assert "the working folder is not there any more" in said
    for name in examine.CHECKS:
        assert name in said
    assert call("--json") == 1
    assert len(json.loads(capsys.readouterr().out)["checks"]) == len(examine.CHECKS)


def test_a_sound_machine_ends_with_0(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fine = {name: lambda _, name=name: Finding(name, "fine", "it is") for name in examine.CHECKS}
    monkeypatch.setattr(examine, "CHECKS", fine)
    assert call() == 0
    assert "0 problems in 13 checks." in capsys.readouterr().out


def test_a_private_cohort_is_named_to_whoever_sits_here_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "hospital", table(), HEAD + PEOPLE + FILES + COLUMNS)
    for number in range(1, 7):
        write_record(tmp_path / "hospital/ecg", f"{number:03d}", make_signal(number, 5000, 1.0), 500)
    options = ("--cohort-file", str(file), "--cache", str(tmp_path / "cache"), "--model", "cart")
    with known(file):
        prepare_cohort(ID, Places(None, tmp_path / "cache"), Reporter())
        header = tmp_path / "hospital/ecg/001.hea"
        header.write_text(header.read_text() + "# more\n")
        call("--json", *options)
        printed = capsys.readouterr().out
        assert "old: 1 private (" in printed
        assert ID not in printed
        call(*options)
        assert ID in capsys.readouterr().out


def test_the_page_tells_of_every_check() -> None:
    page = (Path(__file__).parents[4] / "docs/doctor.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| ([a-z ]+) \| (?!a problem)", page, re.MULTILINE) == list(examine.CHECKS)
