"""What a model looked at, drawn on the ECG, beside the curves that test it."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from benchmark.protocols.map_test import SHARES, TESTED, RelevanceMap
from benchmark.report.ecg_sheet import Shade, sheet
from benchmark.report.figures import draw
from benchmark.report.style import FAINT, PALETTE, Picture, label
from cohorts.recording import Recording


def relevance_sheet(
    found: RelevanceMap, recording: Recording, title: str, note: str, *, simulated: bool
) -> Picture:
    """Draw the recording; orange stretches speak for the concept, blue ones against it."""
    shade = Shade(found.leads, found.seconds, found.importance)
    return sheet(
        recording, title, note=note, layout="12x1", shade=shade, simulated=simulated, name=found.method
    )


def deletion_curves(maps: Sequence[RelevanceMap], title: str) -> Picture:
    """Draw the score while parts are erased: a map that is right makes it fall sooner than chance does.

    The test looks at the shaded part.
    """
    share = 100 * np.array(SHARES)

    def figure() -> Figure:
        built = Figure(figsize=(4.6, 3.2), facecolor="white", layout="constrained")
        axes = built.subplots()
        axes.axvspan(0, share[TESTED].max(), color="#f1f1f1", lw=0)
        for found, colour, marker in zip(maps, (PALETTE[1], PALETTE[2]), "o^", strict=False):
            name = f"by {found.method} (p = {found.p:.2f})"
            axes.plot(share, found.deletion, color=colour, marker=marker, ms=3, label=name)
        random = "in a random order"
        axes.plot(share, maps[0].random, color=PALETTE[6], marker="s", ms=3, ls="--", label=random)
        axes.set_xlabel("Parts erased (%); the test looks at the shaded ones")
        axes.set_ylabel(maps[0].scale.capitalize())
        axes.set_title(label(title, 60), color=FAINT, fontsize=8)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
        return built

    alt = f"Score while parts of the recording are erased, as a map says and at random: {label(title, 90)}."
    return draw("deletion", alt, figure)


def as_json(maps: Sequence[RelevanceMap], facts: dict[str, object]) -> str:
    """Return maps of one recording and their tests for programs."""
    first = maps[0]
    content = {
        **facts,
        "scale": first.scale,
        "score": first.score,
        "seconds": first.seconds,
        "leads": first.leads,
        "random": first.random.tolist(),
        "maps": {
            found.method: {
                "importance": found.importance.tolist(),
                "deletion": found.deletion.tolist(),
                "advantage": found.advantage,
                "p": found.p,
                "agreement": found.agreement,
                "holds": found.holds,
            }
            for found in maps
        },
    }
    return json.dumps(content, indent=1, allow_nan=False) + "\n"
