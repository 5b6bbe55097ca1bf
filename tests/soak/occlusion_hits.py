"""Does an occlusion map find the wave that was drawn? Simulated recordings, a trained network, and a count.

``python -m tests.soak.occlusion_hits FOLDER`` simulates two hospitals, trains resnet1d on one, and maps
recordings of the other; it writes a table and a figure into FOLDER. Takes most of an hour on two cores.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.stats import binomtest

from benchmark.config import Places
from benchmark.progress import Reporter
from benchmark.protocols.hardware import Hardware
from benchmark.protocols.harmonise import RecordingSource
from benchmark.protocols.map_test import MapTest, RelevanceMap
from benchmark.protocols.occlusion import Doubles, Parts, occluded
from benchmark.protocols.saliency import summed
from benchmark.records.measuring import RunSettings
from benchmark.records.naming import find_cell
from benchmark.run.reopening import OpenedCell, reopen
from benchmark.run.runner import run
from benchmark.run.states import RunOptions
from cohorts.recording import STANDARD_LEADS
from cohorts.simulator.recordings import Simulated, recordings_of
from cohorts.simulator.simulate import simulate
from cohorts.simulator.sites import SITES
from tests.soak.drawn_places import FINDINGS, LEADS, condition_of, drawn_parts

SEED, SCALE, RECORDS = 0, 2.0, 25


def cell_in(folder: Path) -> OpenedCell:
    """Train resnet1d on simulated ptb-xl and evaluate it on simulated georgia, unless that was done."""
    simulate(folder / "sim", SEED, ["ptb-xl", "georgia"], SCALE)
    places, hardware = Places(folder / "sim", folder / "cache"), Hardware(workers=1)
    options = RunOptions(
        folder / "run",
        places,
        RunSettings(resamples=500),
        hardware,
        models=("resnet1d",),
        cohorts=("georgia",),
    )
    run(options, Reporter())
    return reopen(find_cell(folder / "run", "resnet1d", "georgia"), "resnet1d", places, hardware, Reporter())


def chosen(cell: OpenedCell, concept: str) -> Iterator[tuple[int, Simulated, str]]:
    """The first recordings in which a finding was drawn and stated, with their rows and what it was."""
    ids = {name: row for row, name in enumerate(cell.store.index["record_id"])}
    stated = cell.store.labels[concept].to_numpy() == 1
    found = 0
    for recording in recordings_of(SITES["georgia"], SEED, SCALE):
        row = ids.get(f"E{recording.number + 1:05d}")
        condition = condition_of(recording, concept)
        if row is not None and condition is not None and stated[row] and found < RECORDS:
            found += 1
            yield row, recording, condition


def mapped(cell: OpenedCell, concept: str, row: int) -> list[RelevanceMap]:
    """Map what speaks for a concept in a recording, on logits, as ``leadboard explain`` does."""
    column = list(cell.model.card.outputs).index(concept)

    def logits(source: RecordingSource) -> Doubles:
        rows = np.arange(len(source.index), dtype=np.intp)
        scores = cell.scorer.score(cell.model, source, rows, lambda done, of: None).scores[0, :, column]
        inside = np.clip(scores.astype(np.float64), 1e-7, 1 - 1e-7)
        return np.log(inside) - np.log1p(-inside)

    parts = Parts(logits, cell.store.recording(row), cell.store.index.iloc[[row]])
    test = MapTest(parts, "logit")
    saliency = cell.scorer.saliency(cell.model, cell.store, row, concept)
    assert saliency is not None
    by_gradients = summed(saliency, cell.model.card.input, parts)
    return [test.of("occlusion", occluded(parts)), test.of("gradients", by_gradients)]


def counted(cell: OpenedCell, concept: str) -> list[dict[str, object]]:
    """Count how often the strongest part lies where the finding was drawn, and the chance that it would.

    Once at the time of the finding in whatever lead, and once at that time in a lead of the criteria.
    """
    everywhere = all(LEADS[condition] == STANDARD_LEADS for condition in FINDINGS[concept])
    kinds = ["time and lead"] if everywhere else ["time", "time and lead"]
    hits: dict[tuple[str, str], list[bool]] = {}
    chances: dict[str, list[float]] = {}
    holds: Counter[str] = Counter()
    for row, recording, condition in chosen(cell, concept):
        drawn = drawn_parts(recording, condition)
        places = {"time": np.broadcast_to(drawn.any(axis=0), drawn.shape), "time and lead": drawn}
        for kind in kinds:
            chances.setdefault(kind, []).append(float(places[kind].mean()))
        for found in mapped(cell, concept, row):
            holds[found.method] += found.holds
            for kind in kinds:
                strongest = np.unravel_index(found.importance.argmax(), drawn.shape)
                hits.setdefault((found.method, kind), []).append(bool(places[kind][strongest]))
        print(concept, recording.number, {kind: some[-1] for kind, some in hits.items()}, flush=True)
    rows: list[dict[str, object]] = []
    for (method, kind), some in hits.items():
        interval = binomtest(sum(some), len(some)).proportion_ci(method="exact")
        rows.append(
            {
                "finding": concept,
                "map": method,
                "right": kind,
                "recordings": len(some),
                "hits": sum(some),
                "rate": sum(some) / len(some),
                "low": interval.low,
                "high": interval.high,
                "chance": float(np.mean(chances[kind])),
                "maps that hold": holds[method],
            }
        )
    return rows


def draw(table: pd.DataFrame, file: Path) -> None:
    """Draw rates with their intervals beside chance."""
    with plt.rc_context({"svg.hashsalt": "leadboard", "svg.fonttype": "none", "font.size": 10}):
        figure, axes = plt.subplots(figsize=(7, 5), layout="constrained")
        at = np.arange(len(table))[::-1]
        spread = [table["rate"] - table["low"], table["high"] - table["rate"]]
        axes.errorbar(table["rate"], at, xerr=spread, fmt="o", color="#1f4e79", capsize=3, label="hit rate")
        axes.plot(table["chance"], at, "x", color="#b03a2e", markersize=8, label="chance")
        rows = table.itertuples()
        axes.set_yticks(at, [f"{r.finding}, by {r.map}, {r.right} (n = {r.recordings})" for r in rows])
        axes.set(xlim=(0, 1.02), ylim=(-0.6, len(table) - 0.4))
        axes.set_xlabel(
            "strongest part lies where the finding was drawn\n(simulated recordings, 95 % intervals)"
        )
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
        figure.savefig(file, metadata={"Date": None})
        plt.close(figure)


def main(folder: Path) -> None:
    """Count, print and draw; what the training cohort does not annotate cannot be asked for."""
    cell = cell_in(folder)
    asked = [concept for concept in FINDINGS if concept in cell.model.card.outputs]
    print("not learnt:", ", ".join(sorted(set(FINDINGS) - set(asked))) or "none", flush=True)
    rows: list[dict[str, object]] = []
    for concept in asked:
        rows += counted(cell, concept)
        table = pd.DataFrame(rows)
        table.to_csv(folder / "occlusion-hits.csv", index=False, float_format="%.3f")
    draw(table, folder / "occlusion-hits.svg")
    print(table.round(3).to_string(index=False))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
