"""Damaged files of every kind that somebody may bring, for short and for long runs of the same test.

A `Target` makes one small valid file and reads it as the product does. Whatever is done to its bytes, the
reader answers with what it read or with a `LeadboardError` of one line: `survives` says so. ::

    for name, target in targets(folder).items():
        ...
        survives(target, data)      # data drawn from damaged(target.valid)
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import torch
from hypothesis import strategies as st

from baselines.checkpoints import read_checkpoint, read_weights, write_weights
from benchmark.config import find_places
from benchmark.models.cards import card_beside, read_card
from benchmark.models.model_card import ModelCard
from benchmark.models.weights import load_weights, save_weights
from benchmark.records.manifest import Environment, Manifest
from benchmark.records.predictions import load_predictions, predictions_table, save_predictions
from benchmark.records.record import load_record, save_record
from benchmark.records.resamples import load_resamples, save_resamples
from benchmark.records.run_file import read_run_file
from benchmark.records.verification import verify
from benchmark.scoring.columns import label_column, read_table, record_ids
from benchmark.scoring.prediction_files import read_prediction_file
from benchmark.scoring.tables import open_table
from cohorts.errors import LeadboardError
from cohorts.formats.any_file import read_file
from tests.cohorts.formats.every_format import write_every_format

IDS = [f"r{at}" for at in range(8)]
TABLE = pd.DataFrame({"record_id": IDS, "AF": np.linspace(0, 1, 8), "LVH": np.linspace(1, 0, 8)})
LABELS = pd.DataFrame({"record_id": IDS, "AF": [0, 1] * 4, "sex": ["f", "m"] * 4})
CARD = ModelCard(name="mine", outputs=("AF", "LVH"), trained_on=())
CARD_TEXT = "name: mine\nversion: '1.0'\ntrained_on: [ptb-xl]\noutputs: [AF, LVH]\n"
CONFIG = 'data = "."\ncache = "c"\n[folders]\ngeorgia = "."\n'
STATE = {"conv.weight": torch.arange(24.0).reshape(2, 3, 4), "bn.count": torch.tensor(7)}


@dataclass(frozen=True, slots=True)
class Target:
    """One kind of file.

    Attributes
    ----------
    path
        Where the reader expects it.
    valid
        Its bytes as they should be.
    read
        Reads the file at the path.
    """

    path: Path
    valid: bytes
    read: Callable[[], Any]


def damaged(valid: bytes) -> st.SearchStrategy[bytes]:
    """Bytes that were flipped, cut out, put in, doubled, or are missing at the end."""
    places = st.integers(0, max(0, len(valid) - 1))
    lengths = st.integers(1, 64)

    def flip(content: bytes, at: int, value: int) -> bytes:
        return content[:at] + bytes([value]) + content[at + 1 :]

    def insert(content: bytes, at: int, more: bytes) -> bytes:
        return content[:at] + more + content[at:]

    def drop(content: bytes, at: int, length: int) -> bytes:
        return content[:at] + content[at + length :]

    def double(content: bytes, at: int, length: int) -> bytes:
        return content[: at + length] + content[at:]

    words = st.sampled_from(
        [b"\0" * 8, b"\xff" * 8, b"\xff" * 4, b"[" * 64, b"9" * 40, b"\xed\xa0\x80", b'"']
    )
    edits = st.one_of(
        st.tuples(st.just(flip), places, st.integers(0, 255)),
        st.tuples(st.just(insert), places, st.one_of(st.binary(min_size=1, max_size=16), words)),
        st.tuples(st.just(drop), places, lengths),
        st.tuples(st.just(double), places, lengths),
        st.tuples(st.just(drop), places, st.just(len(valid))),
    )

    def apply(chosen: list[Any]) -> bytes:
        content = valid
        for edit, at, value in chosen:
            content = edit(content, min(at, len(content)), value)
        return content

    return st.lists(edits, min_size=1, max_size=4).map(apply)


def survives(target: Target, content: bytes) -> None:
    """Check that a damaged file is read, or refused in one line that any terminal can show."""
    said = ""
    target.path.write_bytes(content)
    try:
        target.read()
    except LeadboardError as error:
        said = str(error)
    assert said.isprintable(), said
    assert len(said) < 2_000, said


def targets(folder: Path, run: Path, submission: Path) -> dict[str, Target]:
    """Every kind of file.

    Parameters
    ----------
    folder
        Where the files are written.
    run, submission
        A finished run with the cell ``noisy/as-is/georgia``, and a submission of it.
    """
    found = {
        **_tables(folder / "tables"),
        **_records(folder / "records", run),
        **_submissions(submission),
        **_texts(folder / "texts"),
        **_weights(folder / "weights"),
        **_recordings(folder / "recordings"),
    }
    for target in found.values():
        target.read()  # whole, it is read
    return found


def _target(path: Path, read: Callable[[Path], Any], valid: bytes | None = None) -> Target:
    if valid is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(valid)
    return Target(path, path.read_bytes(), lambda: read(path))


def _predictions(path: Path) -> None:
    read_prediction_file(path, {"AF", "LVH"})


def _labels(path: Path) -> None:
    file = open_table(path)
    table = read_table(file, list(file.columns))
    record_ids(file, table)
    for name in set(file.columns) - {"record_id"}:
        with contextlib.suppress(LeadboardError):
            label_column(file, table, name)


def _tables(folder: Path) -> dict[str, Target]:
    folder.mkdir(parents=True)
    csv = TABLE.to_csv(index=False).encode()
    TABLE.to_parquet(folder / "scores.parquet")
    TABLE.set_index("record_id").rename_axis(None).to_parquet(folder / "indexed.parquet", compression=None)
    LABELS.to_parquet(folder / "labels.parquet", compression=None)
    arrays = {"record_id": np.array(IDS), "AF": TABLE["AF"].to_numpy()}
    np.savez(folder / "scores.npz", **arrays)
    np.savez_compressed(folder / "packed.npz", **arrays)
    book = openpyxl.Workbook()
    for row in (list(TABLE.columns), *TABLE.to_numpy().tolist()):
        book.active.append(row)
    book.save(folder / "scores.xlsx")
    predictions = predictions_table(TABLE["record_id"], np.float32(TABLE[["AF", "LVH"]])[None], ("AF", "LVH"))
    save_predictions(predictions, "key", folder / "saved.parquet")
    return {
        "csv of scores": _target(folder / "scores.csv", _predictions, csv),
        "csv of labels": _target(folder / "labels.csv", _labels, LABELS.to_csv(index=False).encode()),
        "compressed csv": _target(folder / "scores.csv.gz", _predictions, gzip.compress(csv)),
        "parquet of scores": _target(folder / "scores.parquet", _predictions),
        "parquet with a row index": _target(folder / "indexed.parquet", _predictions),
        "parquet of labels": _target(folder / "labels.parquet", _labels),
        "excel": _target(folder / "scores.xlsx", _predictions),
        "npz": _target(folder / "scores.npz", _predictions),
        "compressed npz": _target(folder / "packed.npz", _predictions),
        "saved predictions": _target(folder / "saved.parquet", load_predictions),
    }


def _records(folder: Path, run: Path) -> dict[str, Target]:
    folder.mkdir(parents=True)
    source = run / "noisy/as-is/georgia.json"
    record = load_record(source)
    save_record(record, folder / "record.json")
    drawn = load_resamples(record, source.with_suffix(".resamples.npz"))
    save_resamples(record, drawn, folder / "x.resamples.npz")
    return {
        "record": _target(folder / "record.json", load_record),
        "record to verify": _target(
            folder / "verified.json", _verified, (folder / "record.json").read_bytes()
        ),
        "resamples": _target(folder / "x.resamples.npz", lambda path: load_resamples(record, path)),
        "run.json": _target(
            folder / "run.json", lambda path: read_run_file(path.parent), (run / "run.json").read_bytes()
        ),
    }


def _verified(path: Path) -> None:
    _one_line_each(verify(path, lambda _, signals=True: None))


def _one_line_each(found: Any) -> None:
    for where, what in (*found.differences, *found.unchecked, *found.remarks):
        assert f"{where} {what}".isprintable(), (where, what)


def _submissions(submission: Path) -> dict[str, Target]:
    """The files about a submission; each is put back by the caller's next target."""

    def read(path: Path) -> None:
        _one_line_each(verify(submission, lambda _, signals=True: None))

    names = ("manifest.json", "card.json", "environment.json", "predictions/as-is/georgia.parquet")
    schemas = {"manifest.json": Manifest, "environment.json": Environment}
    for name, schema in schemas.items():
        schema.model_validate_json((submission / name).read_bytes())
    return {f"submission's {name}": _target(submission / name, read) for name in names}


def _texts(folder: Path) -> dict[str, Target]:
    folder.mkdir(parents=True)

    def configured(path: Path) -> None:
        with contextlib.chdir(path.parent):
            find_places()

    return {
        "leadboard.toml": _target(folder / "leadboard.toml", configured, CONFIG.encode()),
        "card of predictions": _target(
            folder / "mine.yaml", lambda path: read_card(path, None, ("AF", "LVH")), CARD_TEXT.encode()
        ),
        "card beside a model": _target(
            folder / "card.yaml", lambda path: card_beside(path.with_name("model.py")), CARD_TEXT.encode()
        ),
        "card in json": _target(
            folder / "mine.json",
            lambda path: read_card(path, None, ("AF", "LVH")),
            json.dumps({"name": "mine", "trained_on": []}).encode(),
        ),
    }


def _recordings(folder: Path) -> dict[str, Target]:
    folder.mkdir(parents=True)
    return {name: _target(path, read_file) for name, path in write_every_format(folder).items()}


def _trained(path: Path) -> None:
    load_weights(path.parent, CARD)


def _weights(folder: Path) -> dict[str, Target]:
    folder.mkdir(parents=True)
    found = {}
    for name, new in (("checkpoint", True), ("old checkpoint", False)):
        stream = io.BytesIO()
        torch.save({"state_dict": STATE, "best": 0.5}, stream, _use_new_zipfile_serialization=new)
        found[name] = _target(folder / f"{new}.pth", read_checkpoint, stream.getvalue())
    write_weights(
        folder / "kept", STATE, folder / "True.pth", model="m", size="s", repository="r", licence="l"
    )
    save_weights(folder, CARD, {"weights": np.zeros((4, 2), np.float32)})
    return {
        **found,
        "safetensors": _target(folder / "kept/model.safetensors", read_checkpoint),
        "card of weights": _target(folder / "kept/card.json", lambda path: read_weights(path.parent, "m")),
        "trained weights": _target(
            folder / "model.safetensors", lambda path: load_weights(path.parent, CARD)
        ),
    }
