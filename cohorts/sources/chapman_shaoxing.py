"""Chapman-Shaoxing: 10,247 recordings of 10 s from Shaoxing People's Hospital."""

from __future__ import annotations

from cohorts.families.challenge import ChallengeCohort, challenge_card, challenge_release


class ChapmanShaoxing(ChallengeCohort):
    """The database of Chapman University and Shaoxing People's Hospital, as in the Challenge 2021 tree."""

    card = challenge_card(
        "chapman_shaoxing",
        id="chapman-shaoxing",
        name="Chapman-Shaoxing",
        records=10_247,
        country="China",
    )
    release = challenge_release(card, 1_240_000_000)
