"""Everything that reads a file of others, with whole files to begin with: a table for the fuzzing."""

from __future__ import annotations

import json
import os
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from baselines.controls import AgeSex
from benchmark.config import find_places
from benchmark.models.weights import load_weights
from benchmark.models.worker.frames import FrameReader, pack
from benchmark.protocols.artifacts import Artifact
from benchmark.records.predictions import load_predictions
from benchmark.records.record import load_record
from benchmark.records.resamples import load_resamples
from benchmark.records.run_folder import load_run
from benchmark.records.verification import verify
from benchmark.scoring.against_labels import score_table
from benchmark.scoring.on_cohort import read_submitted
from cohorts.catalogue import open_cohort
from cohorts.download import plan_download, publishers, transfer, unpacking
from cohorts.download.disk import Meter
from cohorts.formats.any_file import read_file
from cohorts.formats.wfdb_files import read_record
from cohorts.preparing import prepare
from cohorts.release import Unpack
from cohorts.store import Store
from tests.soak.stage import SIMULATED, Stage


class Parser(NamedTuple):
    """A row of the table.

    Attributes
    ----------
    after
        Commands that make the files.
    lay_out
        Puts whole files into an empty folder.
    pattern
        Which of them are mutated.
    read
        Given the file that was mutated and the folder, reads it.
    batch
        Mutations in a trial; fewer where one takes long.
    reserves
        Whether it may ask for as much memory as a file announces, as long as it never touches it.
    """

    what: str
    after: tuple[str, ...]
    lay_out: Callable[[Stage, Path], object]
    pattern: str
    read: Callable[[Path, Path], object]
    batch: int = 150
    reserves: bool = False


def copied(*patterns: str) -> Callable[[Stage, Path], None]:
    """Copy files of the stage, all into one folder."""

    def lay_out(stage: Stage, folder: Path) -> None:
        for pattern in patterns:
            for path in stage.root.glob(pattern):
                shutil.copy(path, folder)

    return lay_out


def linked(what: str) -> Callable[[Stage, Path], None]:
    """Link a folder of the stage; a mutation replaces the link and not the original."""

    def lay_out(stage: Stage, folder: Path) -> None:
        shutil.copytree(stage.root / what, folder, copy_function=os.link, dirs_exist_ok=True)

    return lay_out


def everything(store: Store) -> None:
    """Read all that a store gives."""
    with store:
        for position in range(len(store)):
            store.recording(position)
        _ = store.index, store.labels, store.quarantine, store.warnings


def _release(cohort: str) -> Callable[[Path, Path], None]:
    def read(path: Path, folder: Path) -> None:
        release = open_cohort(cohort, folder)
        if release is not None:
            everything(prepare(release, folder / "cache"))

    return read


def _store(path: Path, folder: Path) -> None:
    everything(Store(path))


def _resamples(path: Path, folder: Path) -> None:
    load_resamples(load_record(folder / "georgia.json"), path)


def _tables(stage: Stage, folder: Path) -> None:
    """Scores and labels as a hospital would write them, in every form that is taken."""
    scores, _ = load_predictions(Path(stage.words["mine"]))
    labels = pd.DataFrame({"record_id": scores["record_id"], "patient_id": scores["record_id"].str[-2:]})
    labels["sex"] = ["female", "male"] * (len(labels) // 2)
    for concept in scores.columns[1:]:
        labels[concept] = [0, 1] * (len(labels) // 2)
    for name, table in (("scores", scores), ("labels", labels)):
        table.to_csv(folder / f"{name}.csv", index=False)
        table.to_parquet(folder / f"{name}.parquet")
    outputs = scores.columns[1:]
    np.savez(
        folder / "scores.npz", record_id=np.array(scores["record_id"], str), **{c: scores[c] for c in outputs}
    )
    (folder / "card.yaml").write_text(
        "name: mine\ntrained_on: [ptb-xl, sph]\noutputs: [AF, LVH]\nlicence: MIT\n"
    )
    (folder / "leadboard.toml").write_text('data = "."\ncache = "c"\n[folders]\ngeorgia = "."\n')


def _score(path: Path, folder: Path) -> None:
    suffix = path.suffix if path.suffix != ".npz" else ".csv"
    names = (folder / f"scores{suffix}", folder / f"labels{suffix}")
    score_table(*names, resamples=2, seed=0)


def _submitted(path: Path, folder: Path) -> None:
    scores = path if path.stem == "scores" else folder / "scores.csv"
    read_submitted(scores, card=folder / "card.yaml")


def _config(path: Path, folder: Path) -> None:
    os.chdir(folder)
    find_places()


def _checkpoints(stage: Stage, folder: Path) -> None:
    import torch  # in the process of the trial alone: it takes longer than most of them
    from safetensors.torch import save_file

    tensors = {"module.a.weight": torch.zeros(3, 2), "module.b": torch.arange(4)}
    torch.save({"state_dict": tensors, "epoch": 3, "best": np.float64(0.5)}, folder / "zip.pt")
    torch.save(tensors, folder / "old.pt", _use_new_zipfile_serialization=False)
    save_file(tensors, folder / "x.safetensors", {"about": "{}"})


def _checkpoint(path: Path, folder: Path) -> None:
    from baselines.checkpoints import read_checkpoint

    read_checkpoint(path)


def _weights(path: Path, folder: Path) -> None:
    made = next(folder.glob("*/made.json")).parent
    load_weights(made / "weights", AgeSex().card)
    Artifact(made).read()


def _archives(stage: Stage, folder: Path) -> None:
    files = sorted((stage.root / "data/challenge-2021/training/georgia/g1").iterdir())[:2]
    with (
        zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED) as packed,
        tarfile.open(folder / "a.tar.gz", "w:gz") as zipped,
        tarfile.open(folder / "a.tar", "w", format=tarfile.PAX_FORMAT) as plain,
    ):
        for file in files:
            packed.write(file, f"x/{file.name}")
            zipped.add(file, f"x/{file.name}")
            plain.add(file, f"x/{'long' * 40}/{file.name}")


def _unpack(path: Path, folder: Path) -> None:
    shutil.rmtree(folder / "out", ignore_errors=True)
    (folder / "out").mkdir()
    unpacking.unpack(path, folder / "out", Unpack(name="*", into="", strip="x/"), Meter())


def _plan(path: Path, folder: Path) -> None:
    transfer.BACKOFF = 0.0001
    plan_download("ptb-xl", folder, mirror="http://127.0.0.1:9/")


def _answers(stage: Stage, folder: Path) -> None:
    (folder / "sums.txt").write_text("".join(f"{n:064x}  records/{n}.dat\n" for n in range(20)))
    sums = {"checksum": f"md5:{7:032x}", "computed_md5": f"{7:032x}"}
    entry = {"id": 3, "key": "a.zip", "name": "a.zip", "size": 5, **sums}
    for name in ("zenodo", "figshare"):
        (folder / f"{name}.json").write_text(json.dumps({"id": 1, "files": [entry, entry]}))
    (folder / "collection.json").write_text('[{"id": 4}, {"id": 5}]')


def _answer(path: Path, folder: Path) -> None:
    content = path.read_bytes()
    if path.stem == "sums":
        list(publishers.parse_sha256sums(content.decode(errors="surrogateescape").split("\n")))
    elif path.stem == "zenodo":
        publishers.parse_zenodo(content, 1)
    else:
        read = {"figshare": publishers.parse_figshare, "collection": publishers.parse_figshare_collection}
        read[path.stem](content)


def _frames(stage: Stage, folder: Path) -> None:
    scores = np.ones((4, 2), np.float32)
    (folder / "frame").write_bytes(b"".join(pack({"id": 1, "files": []}, {"answer": scores})))


def _frame(path: Path, folder: Path) -> None:
    reader, content = FrameReader(), path.read_bytes()
    while missing := reader.missing():
        if not content:
            return  # it would wait for more
        reader.feed(content[:missing])
        content = content[missing:]
    reader.reply()


def _formats(stage: Stage, folder: Path) -> None:
    """A record in each of the formats that are left to wfdb."""
    for form, size in (("212", 1800), ("80", 1200), ("24", 3600), ("32", 4800), ("16", 2400)):
        lines = [f"r{form} 12 500 100", *(f"r{form}.dat {form} 200/mV 12 0 0 0 0 L{n}" for n in range(12))]
        (folder / f"r{form}.hea").write_text("\n".join([*lines, "# Age: 50"]) + "\n")
        (folder / f"r{form}.dat").write_bytes(np.random.default_rng(0).bytes(size))


def _devices(stage: Stage, folder: Path) -> None:
    """A recording in each of the formats of electrocardiographs."""
    from tests.cohorts.formats.every_format import write_every_format  # imports torch

    write_every_format(folder)


def _verify(path: Path, folder: Path) -> None:
    verify(folder, lambda name, /, *, signals=True: None)


def _submission(stage: Stage, folder: Path) -> None:
    (sent,) = (stage.root / "after/submit/sent").iterdir()
    linked(str(sent.relative_to(stage.root)))(stage, folder)


def _run(path: Path, folder: Path) -> None:
    load_run(folder)


def _only(read: Callable[[Path], Any]) -> Callable[[Path, Path], Any]:
    return lambda path, folder: read(path)


def _header_of(path: Path, folder: Path) -> None:
    read_record(path.with_suffix(".hea"))


_RECORD = copied("data/challenge-2021/training/georgia/g1/E00001.*")
_CELL = "after/run/run/noisy/as-is/georgia"
_DONE = linked("after/run/run")

PARSERS = (
    Parser("WFDB header", (), _RECORD, "*.hea", _header_of, 400),
    Parser("WFDB signals", (), _RECORD, "*.mat", _header_of),
    Parser("WFDB, other formats", (), _formats, "*", _header_of),
    Parser("files of electrocardiographs", (), _devices, "*", _only(read_file), 400),
    Parser("store", ("prepare",), copied("after/prepare/cache/stores/georgia*.h5"), "*.h5", _store, 100),
    Parser("predictions", ("run",), copied(f"{_CELL}.parquet"), "*", _only(load_predictions), 300),
    Parser("result record", ("run",), copied(f"{_CELL}.json"), "*", _only(load_record), 300),
    Parser("resampled figures", ("run",), copied(f"{_CELL}.*"), "*.npz", _resamples),
    Parser("run.json", ("run",), _DONE, "run.json", _run, 100),
    Parser("run, verified", ("run",), _DONE, "**/*", _verify, 50),
    Parser("submission, verified", ("submit",), _submission, "**/*", _verify, 50),
    Parser("tables to score", ("run",), _tables, "*s.[cp]*", _score, 40),
    Parser("predictions and card of others", ("run",), _tables, "[cs]*.[cnpy]*", _submitted, 200),
    Parser("leadboard.toml", ("run",), _tables, "*.toml", _config, 300),
    Parser("checkpoints", (), _checkpoints, "*", _checkpoint, 300, True),
    Parser("cached weights", ("run",), linked("after/run/cache/models/age-sex"), "*/**/*", _weights, 200),
    Parser("archives", (), _archives, "a.*", _unpack, 200),
    Parser("download ledger", ("download",), linked("after/download/fetched"), ".leadboard/**/*", _plan, 50),
    Parser("publishers' answers", (), _answers, "*", _answer, 300),
    Parser("frames of a worker", (), _frames, "*", _frame, 300),
    *(
        Parser(
            f"release of {cohort}", ("few",), linked("after/few/sim"), f"{folder}/**/*", _release(cohort), 15
        )
        for cohort, folder in SIMULATED.items()
    ),
)
