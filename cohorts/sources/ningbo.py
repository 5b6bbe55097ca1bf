"""Ningbo: 34,905 recordings of 10 s from Ningbo First Hospital."""

from __future__ import annotations

from cohorts.families.challenge import ChallengeCohort, challenge_card, challenge_release


class Ningbo(ChallengeCohort):
    """The Ningbo First Hospital database, as in the Challenge 2021 tree."""

    card = challenge_card(
        "ningbo",
        id="ningbo",
        name="Ningbo",
        records=34_905,
        country="China",
    )
    release = challenge_release(card, 4_210_000_000)
