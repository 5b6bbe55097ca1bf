"""INCART: 74 half-hour recordings at 257 Hz from St Petersburg."""

from __future__ import annotations

from cohorts.families.challenge import ChallengeCohort, challenge_card


class Incart(ChallengeCohort):
    """The St Petersburg INCART arrhythmia database, as in the Challenge 2021 tree."""

    card = challenge_card(
        "st_petersburg_incart",
        id="incart",
        name="St Petersburg INCART",
        records=74,
        country="Russia",
        sampling_rates=(257.0,),
    )
