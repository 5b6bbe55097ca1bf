"""What a model is does not depend on the models that were found before it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

import pytest

from benchmark.models.plugins import find_model

MODEL = """
class Net:
    card = {{"name": "{name}", "outputs": ["AF"], "trained_on": []}}

    def predict(self, batch):
        return batch.signals.mean(axis=(1, 2))[:, None]
"""
READS = """
from pathlib import Path
KNOWN = Path(__file__).with_name("{name}.csv").read_text()
"""
FILES = {
    "alone": "",
    "reader": READS.format(name="reader"),
    "through": "from .reader import KNOWN",
    "twice": "import importlib\nfrom hospital_models import through",
    "later": "def known():\n    from hospital_models.reader import KNOWN\n    return KNOWN",
}
OPENED = {name: [] if name == "alone" else ["reader.csv"] for name in FILES}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "hospital_models"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "reader.csv").write_text("weight\n1\n")
    for name, code in FILES.items():
        (folder / f"{name}.py").write_text(code + MODEL.format(name=name))
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] == "hospital_models"]:
        del sys.modules[name]


@pytest.mark.parametrize("order", list(permutations(("alone", "reader", "through"))))
def test_the_order_in_which_models_are_found_changes_nothing(package: Path, order: tuple[str, ...]) -> None:
    found = {name: find_model(f"hospital_models.{name}:Net") for name in order}
    assert {name: [file.path for file in found[name].files.now()] for name in order} == {
        name: OPENED[name] for name in order
    }
    assert found["reader"].code_hash == found["through"].code_hash != found["alone"].code_hash


@pytest.mark.parametrize("name", FILES)
def test_a_module_that_is_here_already_is_looked_up_with_what_it_has_opened(package: Path, name: str) -> None:
    find_model("hospital_models.reader:Net")
    found = find_model(f"hospital_models.{name}:Net")
    assert [file.path for file in found.files.now()] == OPENED[name]


def test_a_changed_file_of_a_module_that_two_models_import_changes_both(package: Path) -> None:
    before = {name: find_model(f"hospital_models.{name}:Net").code_hash for name in FILES}
    (package / "reader.csv").write_text("weight\n2\n")
    after = {name: find_model(f"hospital_models.{name}:Net").code_hash for name in FILES}
    assert [name for name in FILES if before[name] != after[name]] == [name for name in FILES if OPENED[name]]


def test_two_files_that_import_one_from_beside_them_both_have_what_it_opens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "net_beside.csv").write_text("weight\n1\n")
    (tmp_path / "net_beside.py").write_text(READS.format(name="net_beside"))
    for name in ("one", "two"):
        (tmp_path / f"{name}.py").write_text("import net_beside" + MODEL.format(name=name))
        found = find_model(f"{tmp_path / name}.py:Net")
        assert [file.path for file in found.files.now()] == ["net_beside.csv"]
    del sys.modules["net_beside"]
