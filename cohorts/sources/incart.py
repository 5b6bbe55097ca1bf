"""INCART: 74 half-hour recordings at 257 Hz from St Petersburg."""

from __future__ import annotations

from cohorts.families.challenge import ChallengeCohort, challenge_card, challenge_release


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
    release = challenge_release(card, 822_000_000)
