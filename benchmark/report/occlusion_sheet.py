"""What a model looked at, drawn on the ECG, beside the curve that tests it."""

from __future__ import annotations

import json

import numpy as np
from matplotlib.figure import Figure

from benchmark.protocols.occlusion import STEPS, OcclusionMap
from benchmark.report.ecg_sheet import Shade, sheet
from benchmark.report.figures import FAINT, PALETTE, Picture, draw, label
from cohorts.recording import Recording


def occlusion_sheet(
    found: OcclusionMap, recording: Recording, title: str, note: str, *, simulated: bool
) -> Picture:
    """Draw the recording; orange stretches speak for the concept, blue ones against it."""
    shade = Shade(found.leads, found.seconds, found.importance)
    return sheet(
        recording, title, note=note, layout="12x1", shade=shade, simulated=simulated, name="occlusion"
    )


def deletion_curve(found: OcclusionMap, title: str) -> Picture:
    """Draw the score while parts are erased: a map that is right makes it fall sooner than chance does."""
    share = np.linspace(0, 100, STEPS + 1)

    def figure() -> Figure:
        built = Figure(figsize=(4.6, 3.2), facecolor="white", layout="constrained")
        axes = built.subplots()
        axes.plot(share, found.deletion, color=PALETTE[1], marker="o", ms=3, label="as the map says")
        axes.plot(share, found.random, color=PALETTE[6], marker="s", ms=3, ls="--", label="in random order")
        axes.set_xlabel("Parts erased (%)")
        axes.set_ylabel(found.scale.capitalize())
        axes.set_title(label(title, 60), color=FAINT, fontsize=8)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
        return built

    alt = f"Score while parts of the recording are erased, as the map says and at random: {label(title, 90)}."
    return draw("deletion", alt, figure)


def as_json(found: OcclusionMap, facts: dict[str, object]) -> str:
    """Return the map and its tests for programs."""
    content = {
        **facts,
        "scale": found.scale,
        "score": found.score,
        "seconds": found.seconds,
        "leads": found.leads,
        "importance": found.importance.tolist(),
        "deletion": found.deletion.tolist(),
        "random": found.random.tolist(),
        "advantage": found.advantage,
        "agreement": found.agreement,
    }
    return json.dumps(content, indent=1, allow_nan=False) + "\n"
