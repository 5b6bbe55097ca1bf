"""Everything that docs/evaluate.md tells an author of a model to write and to type, from its examples on."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from benchmark.records.record import load_record
from benchmark.records.run_folder import load_run_file
from tests.documented import commands, files, section
from tests.reader import NO_NETWORK, Reader
from tests.releases import write_challenge, write_ptb_xl

pytestmark = pytest.mark.skipif(
    find_spec("onnxruntime") is None or find_spec("onnxscript") is None,  # to import them takes seconds
    reason="needs onnxruntime and onnxscript, of the test extra",
)

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/evaluate.md").read_text(encoding="utf-8")
SUBMIT = (ROOT / "docs/submit.md").read_text(encoding="utf-8")
TYPES = {
    "docs/evaluate.md": ["3. Run it", "4. Examples", "5. Predictions instead of a model"],
    "docs/scale.md": ["$ leadboard prepare --data RELEASES"],
    "docs/submit.md": ["Hand in the results"],
}
EXAMPLES = section(PAGE, "4. Examples")
ELSEWHERE = section(PAGE, "A model in an environment of its own")


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """Somebody with two small releases, and all files of the examples."""
    reader = Reader(tmp_path_factory.mktemp("reader"))
    write_ptb_xl(reader.home / "RELEASES")
    write_challenge(reader.home / "RELEASES")
    for name, code in files(EXAMPLES).items():
        (reader.home / name).write_text(code)
    return reader


@pytest.fixture(scope="module")
def said(reader: Reader) -> dict[str, str]:
    """Command -> what it printed, of the examples that run in this environment."""
    return {line: reader.types(line) for line in commands(EXAMPLES) if line not in commands(ELSEWHERE)}


@pytest.fixture(scope="module")
def said_elsewhere(reader: Reader) -> dict[str, str]:
    """Command -> what it printed, of the example with an environment of its own."""
    if sys.version_info >= (3, 13):
        pytest.skip("numpy 1.26 needs a Python up to 3.12")
    said = {}
    for line in commands(ELSEWHERE):
        if " install " in line:
            answer = reader.tries(line)
            if answer.returncode and any(word in answer.stderr for word in NO_NETWORK):
                pytest.skip(f"needs PyPI: {answer.stderr.strip().splitlines()[-1]}")
        said[line] = reader.types(line)
    return said


def test_every_file_is_used_by_a_command() -> None:
    typed = " ".join(commands(EXAMPLES))
    assert len(files(EXAMPLES)) == 5
    assert [name for name in files(EXAMPLES) if name not in typed] == []


def test_every_check_passes(said: dict[str, str]) -> None:
    checks = [output for line, output in said.items() if line.startswith("leadboard check ")]
    assert len(checks) == 3
    for output in checks:
        assert " passed, 0 failed, " in output.splitlines()[-1]


def test_every_cell_of_the_run_is_done(reader: Reader, said: dict[str, str]) -> None:
    run = load_run_file(reader.home / "results/runs/mine")
    assert {cell.model for cell in run.cells} == {"band-power", "torch-net", "onnx-net", "age-sex"}
    assert len(run.cells) == 8
    assert {cell.status for cell in run.cells} == {"done"}
    assert "8 of 8 cells computed now, 0 failed." in " ".join(said.values())


def test_the_trained_example_has_learnt(reader: Reader, said: dict[str, str]) -> None:
    records = [
        load_record(reader.home / f"results/runs/mine/band-power/as-is/{cohort}.json")
        for cohort in ("ptb-xl", "georgia")
    ]
    assert [record.relation for record in records] == ["internal", "external"]
    for record in records:
        auroc = record.evaluation.concepts["AF"].auroc
        assert auroc is not None
        assert auroc.value > 0.95  # the patients in AF have a wave of 7 Hz that is five times larger


def test_the_exported_network_is_the_network(reader: Reader, said: dict[str, str]) -> None:
    """Both examples start from seed 0, so ONNX has to answer what torch answers."""
    tables = [
        pd.read_parquet(reader.home / f"results/runs/mine/{model}/as-is/georgia.parquet")
        for model in ("torch-net", "onnx-net")
    ]
    torch_scores, onnx_scores = (table[["AF", "LBBB"]].to_numpy() for table in tables)
    assert torch_scores.std(axis=0).min() > 0
    np.testing.assert_allclose(onnx_scores, torch_scores, atol=1e-5)


@pytest.mark.slow  # installs an older NumPy and more
def test_the_other_environment(reader: Reader, said_elsewhere: dict[str, str]) -> None:
    *_, check, run = said_elsewhere.values()
    assert " passed, 0 failed, " in check.splitlines()[-1]
    assert "2 of 2 cells computed now, 0 failed." in run
    cells = load_run_file(reader.home / "results/runs/older").cells
    assert {cell.status for cell in cells} == {"done"}
    reader.types("leadboard submit results/runs/older")
    (card,) = (reader.home / "results/submissions").glob("area-*/card.json")
    assert "by numpy 1.26.4." in card.read_text()


def test_a_cluster_prepares_beforehand(reader: Reader) -> None:
    (command,) = TYPES["docs/scale.md"]
    assert "ptb-xl" in reader.types(command.removeprefix("$ "))


def test_a_new_package_is_run_and_asked_about_other_recordings(reader: Reader) -> None:
    reader.types(commands(section(PAGE, "1. Start from a package that runs"))[0])
    run, predict = commands(section(PAGE, "3. Run it"))
    assert "4 of 4 cells computed now, 0 failed." in reader.types(run)
    (reader.home / "FILE-OR-FOLDER").symlink_to(reader.home / "RELEASES/challenge-2021")
    reader.types(predict)
    assert len(pd.read_csv(reader.home / "scores.csv")) == 40


def test_predictions_instead_of_a_model(reader: Reader) -> None:
    ids = [f"E{i:05d}" for i in range(1, 41)]
    pd.DataFrame({"record_id": ids, "AF": np.arange(40) % 2}).to_csv(
        reader.home / "predictions.csv", index=False
    )
    (reader.home / "card.yaml").write_text(yaml.safe_dump({"name": "from-afar", "trained_on": ["ptb-xl"]}))
    (line,) = commands(section(PAGE, "5. Predictions instead of a model"))
    assert "georgia is external to from-afar: 40 records scored" in reader.types(line)


def test_results_are_handed_in_and_verified(reader: Reader, said: dict[str, str]) -> None:
    submit, verify = commands(section(SUBMIT, "Hand in the results"))
    assert "2 results packed: results/submissions/torch-net-" in reader.types(submit)
    assert "checks agree, 0 differ, 0 could not be made." in reader.types(verify)
