"""Whatever is done to the bytes of a file, it is read or refused in one sentence; the soak runs it longer."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmark.records.submission import pack
from tests.benchmark.tiny_run import make_places, make_run
from tests.fuzzing import Target, damaged, survives, targets

EXAMPLES = 12
KINDS = (
    "csv of scores", "csv of labels", "compressed csv", "parquet of scores", "parquet with a row index",
    "parquet of labels", "excel", "npz", "compressed npz", "saved predictions", "record", "record to verify",
    "resamples", "run.json", "submission's manifest.json", "submission's card.json",
    "submission's environment.json", "submission's predictions/as-is/georgia.parquet", "leadboard.toml",
    "card of predictions", "card beside a model", "card in json", "checkpoint", "old checkpoint",
    "safetensors", "card of weights", "trained weights", "muse", "hl7-aecg", "cardiosoft", "philips", "dicom",
    "deflated dicom", "edf", "bdf",
)  # fmt: skip


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Target]:
    run = make_run(tmp_path_factory.mktemp("runs"), make_places(tmp_path_factory.mktemp("home")))
    submission = pack(run, tmp_path_factory.mktemp("submissions"), "noisy")[0]
    return targets(tmp_path_factory.mktemp("files"), run, submission)


def test_every_kind_has_its_name_here(files: dict[str, Target]) -> None:
    assert tuple(files) == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_file_is_read_or_refused_in_one_sentence(files: dict[str, Target], kind: str) -> None:
    target = files[kind]

    @settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def damage(data: st.DataObject) -> None:
        survives(target, data.draw(damaged(target.valid)))

    try:
        damage()
    finally:
        target.path.write_bytes(target.valid)
