"""The suite's own code that decides scores, features and fits: whole rooms, named in their keys."""

from __future__ import annotations

SCORE_ROOMS = (
    "benchmark/models",
    "benchmark/protocols",
    "cohorts/recording.py",
    "cohorts/resampling.py",
    "cohorts/store.py",
    "cohorts/store_file.py",
)
"""What a model is given and how its answers are taken, in every protocol."""

TEXT_ROOMS = (*SCORE_ROOMS, "cohorts/ontology/sentences.py")
"""The same for what a model is pre-trained on."""
