"""Weights that are replaced beside a model make another model of it; what else is read does not."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmark.models.contract import Batch
from benchmark.models.model_files import ModelFile, ModelFiles
from benchmark.models.model_source import ModelSource
from benchmark.models.plugins import find_model
from benchmark.models.worker import standalone
from benchmark.models.worker.environments import Interpreter, WorkerEnvironment
from benchmark.models.worker.modules import code_files, module_of_file
from benchmark.models.worker.standalone import OpenedFiles, _below_python, located, shortened

ENVIRONMENTS = pytest.mark.parametrize(
    "environment", [None, WorkerEnvironment(Interpreter(sys.executable))], ids=["here", "worker"]
)

PLUGIN = Path(__file__).parents[2] / "plugins" / "weighted.py"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "model"
    (made / "later").mkdir(parents=True)
    shutil.copy(PLUGIN, made / "model.py")
    write(made, gain=1, offset=10)
    return made


def write(folder: Path, *, gain: float | None = None, offset: float | None = None) -> None:
    if gain is not None:
        np.savez(folder / "weights.npz", gain=gain)
    if offset is not None:
        (folder / "later" / "offset.json").write_text(json.dumps(offset))


def found(folder: Path, environment: WorkerEnvironment | None, cache: Path | None = None) -> ModelSource:
    return find_model(f"{folder / 'model.py'}:Weighted", environment, cache)


def answer(source: ModelSource, cache: Path) -> float:
    batch = Batch(np.zeros((1, 1, 500), np.float32), np.zeros(1, np.float32), np.array([""]))
    with source.asked(cache):
        return float(np.asarray(source.build("cpu").predict(batch)).item())


@ENVIRONMENTS
def test_new_weights_are_another_model(
    folder: Path, tmp_path: Path, environment: WorkerEnvironment | None
) -> None:
    cache = tmp_path / "cache"
    first = found(folder, environment, cache)
    assert [file.path for file in first.files.at_start] == ["weights.npz"]
    assert answer(first, cache) == 11
    recorded = first.files.now()
    assert [file.path for file in recorded] == ["later/offset.json", "weights.npz"]
    assert recorded[0].size == 2

    again = found(folder, environment, cache)
    assert again.code_hash == first.code_hash
    assert again.files.are_still(recorded)

    write(folder, gain=2)
    weights = found(folder, environment, cache)
    assert weights.code_hash != first.code_hash
    assert not weights.files.are_still(recorded)
    assert answer(weights, cache) == 12

    write(folder, gain=1, offset=20)
    later = found(folder, environment, cache)
    assert later.code_hash not in (first.code_hash, weights.code_hash)
    assert not later.files.are_still(recorded)
    assert found(folder, environment).code_hash == first.code_hash  # without the cache nobody knows of it
    assert answer(later, cache) == 21
    assert found(folder, environment, cache).code_hash == later.code_hash

    write(folder, offset=10)
    assert found(folder, environment, cache).code_hash == first.code_hash


def test_a_worker_that_starts_anew_has_the_weights_it_had(folder: Path, tmp_path: Path) -> None:
    source = found(folder, WorkerEnvironment(Interpreter(sys.executable)))
    model = source.build("cpu")
    write(folder, gain=2)
    model._workers._worker.kill()  # type: ignore[attr-defined]
    batch = Batch(np.zeros((1, 1, 500), np.float32), np.zeros(1, np.float32), np.array([""]))
    with pytest.raises(Exception, match="another card, code or weights since its worker restarted"):
        model.predict(batch)


def test_a_file_that_is_gone_or_new_counts_as_a_change(folder: Path, tmp_path: Path) -> None:
    source = found(folder, None)
    answer(source, tmp_path / "cache")
    recorded = source.files.now()
    assert not source.files.are_still(())
    assert source.files.are_still(recorded)
    (folder / "later" / "offset.json").unlink()
    assert not source.files.are_still(recorded)


def test_damaged_notes_count_as_a_change(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache = tmp_path / "cache"
    whole = found(folder, None, cache)
    answer(whole, cache)
    (notes,) = (cache / "model-files" / "weighted").iterdir()
    notes.write_text("[")
    source = found(folder, None, cache)
    assert source.code_hash != whole.code_hash
    assert f"{notes} is damaged, and counts as a changed file" in caplog.text
    answer(source, cache)
    assert found(folder, None, cache).code_hash == source.code_hash


def test_what_counts(tmp_path: Path) -> None:
    model, outside, temporary = tmp_path / "model", tmp_path / "shared", Path("scratch.bin")
    for place in (model, outside, tmp_path / "cache", tmp_path / "link"):
        place.mkdir()
        (place / "a.bin").write_bytes(b"abc")
    (model / "net.onnx").write_bytes(b"opened by a library")
    (model / "helper.py").write_text("")
    (tmp_path / "link" / "w.bin").symlink_to(outside / "a.bin")
    opened = OpenedFiles(model, [tmp_path / "cache"])
    with opened:
        for path in (model / "a.bin", outside / "a.bin", tmp_path / "cache" / "a.bin", model / "helper.py"):
            path.read_bytes()
        (tmp_path / "link" / "w.bin").read_bytes()
        Path(os.__file__).with_name("LICENSE.txt").exists()
        Path(os.devnull).read_bytes()
        (tmp_path / "written.bin").write_bytes(b"and never read")
        os.close(os.open(str(tmp_path / "link" / "a.bin"), os.O_RDONLY))
        with pytest.raises(FileNotFoundError):
            (model / temporary).open()
    (outside / "unseen.bin").write_bytes(b"")
    (outside / "unseen.bin").read_bytes()
    assert [file["path"] for file in opened.hashed()] == [
        str(tmp_path / "link" / "a.bin"),
        str(tmp_path / "link" / "w.bin"),
        str(outside / "a.bin"),
        "a.bin",
        "net.onnx",
    ]
    facts = opened.hashed()[0]
    assert facts["sha256"] == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert facts["size"] == 3


def test_names_say_nothing_of_whose_machine_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home" / "ann"
    monkeypatch.setenv("HOME", str(home))
    folder = home / "project"
    names = {
        folder / "weights" / "w.pt": "weights/w.pt",
        folder / "~odd": "./~odd",
        home / "other" / "w.pt": "~/other/w.pt",
        tmp_path / "home" / "bob" / "w.pt": "~bob/w.pt",
        Path("/data/w.pt"): "/data/w.pt",
    }
    for path, name in names.items():
        assert shortened(str(path), folder) == name
    for path in list(names)[:3]:
        assert located(names[path], folder).resolve() == path.resolve()


def test_modules_beside_a_file_are_its_code(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text("import helper, json\nfrom parts.one import x\n")
    (tmp_path / "helper.py").write_text("import deeper\n")
    (tmp_path / "deeper.py").write_text("import json\n")
    (tmp_path / "stranger.py").write_text("")
    (tmp_path / "parts").mkdir()
    for name in ("one", "two"):
        (tmp_path / "parts" / f"{name}.py").write_text("x = 1\n")
    sys.path.insert(0, str(tmp_path))
    try:
        module = module_of_file(tmp_path / "model.py")
    finally:
        sys.path.remove(str(tmp_path))
    assert {path.relative_to(tmp_path).as_posix() for path in code_files(module)} == {
        "model.py",
        "helper.py",
        "deeper.py",
        "parts/one.py",
        "parts/two.py",
    }


def test_a_record_holds_them_in_json() -> None:
    file = ModelFile(path="weights.npz", sha256="00", size=1)
    assert ModelFile.model_validate_json(file.model_dump_json()) == file
    assert ModelFiles().are_still(())
    assert not ModelFiles().are_still((file,))


def test_what_a_package_reads_when_it_is_imported_counts_for_each_of_its_models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "reading_package"
    (package / "data").mkdir(parents=True)
    (package / "data" / "gain.txt").write_text("2")
    (package / "__init__.py").write_text("")
    card = '{"name": "reader", "outputs": ["AF"], "trained_on": []}'
    (package / "models.py").write_text(
        "from pathlib import Path\n"
        "GAIN = float((Path(__file__).parent / 'data' / 'gain.txt').read_text())\n"
        f"class One:\n    card = {card}\n    def predict(self, batch): ...\n"
        "class Two(One): ...\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    one, two = (find_model(f"reading_package.models:{name}") for name in ("One", "Two"))
    assert [file.path for file in one.files.at_start] == ["data/gain.txt"]
    assert two.files.at_start == one.files.at_start
    assert two.code_hash == one.code_hash
    (package / "data" / "gain.txt").write_text("3")
    assert find_model("reading_package.models:One").code_hash != one.code_hash


def test_data_of_an_installed_model_count_and_those_of_libraries_do_not(tmp_path: Path) -> None:
    installed = tmp_path / "installed"
    for name in ("its_model", "a_library"):
        (installed / name).mkdir(parents=True)
        (installed / name / "data.bin").write_bytes(b"")
    opened = OpenedFiles(installed / "its_model", [installed])
    with opened:
        for name in ("its_model", "a_library"):
            (installed / name / "data.bin").read_bytes()
    assert [file["path"] for file in opened.hashed()] == ["data.bin"]


def test_packages_of_another_environment_are_libraries_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = tmp_path / "other/lib/site-packages"
    packages.mkdir(parents=True)
    (packages / "table.bin").write_bytes(b"")
    monkeypatch.syspath_prepend(packages)
    opened = OpenedFiles(tmp_path / "model")
    with opened:
        (packages / "table.bin").read_bytes()
    assert not opened.hashed()


def test_large_recordings_beside_a_model_are_no_weights(tmp_path: Path) -> None:
    for name, size in (("net.hdf5", 2**31), ("exams.hdf5", 2**31 + 1)):
        with (tmp_path / name).open("wb") as file:
            file.truncate(size)
    assert _below_python(tmp_path) == [str(tmp_path / "net.hdf5")]


def test_a_file_is_read_once_and_an_exchanged_one_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Content of the same size, and every time set back, as a careful copy would do it."""
    monkeypatch.setattr(standalone, "_hashes", {})
    file, reads = tmp_path / "weights.bin", []
    sha256 = hashlib.sha256
    monkeypatch.setattr(standalone.hashlib, "sha256", lambda: reads.append(1) or sha256())
    file.write_bytes(b"first")
    for _ in range(2):  # just written: it may be written to again within the same tick of the clock
        assert standalone.hash_of_file(file) == (sha256(b"first").hexdigest(), 5)
    assert len(reads) == 2
    monkeypatch.setattr(standalone.time, "time", lambda: file.stat().st_ctime + 10)
    for _ in range(3):
        assert standalone.hash_of_file(file) == (sha256(b"first").hexdigest(), 5)
    assert len(reads) == 3
    before = file.stat()
    (tmp_path / "other").write_bytes(b"other")
    os.utime(tmp_path / "other", ns=(before.st_atime_ns, before.st_mtime_ns))
    (tmp_path / "other").replace(file)
    assert standalone.hash_of_file(file) == (sha256(b"other").hexdigest(), 5)
    with file.open("r+b") as same:  # in place: same inode, size and time of change
        same.write(b"third")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert standalone.hash_of_file(file) == (sha256(b"third").hexdigest(), 5)
    assert len(reads) == 5
