"""`leadboard concepts WORD...`: a concept is found by what a release or a reader calls it."""

from __future__ import annotations

import pytest

from benchmark.commands.listing import concept_rows
from cohorts.errors import UsageError


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("1AVB",), ["IAVB"]),
        (("164889003", "clbbb"), ["AF", "LBBB"]),
        (("wenckebach",), ["MobI"]),
        (("aVb",), ["AVB", "IAVB", "IIAVB", "IIIAVB"]),
    ],
)
def test_a_concept_is_found_by_its_code_or_a_part_of_its_name(
    words: tuple[str, ...], found: list[str]
) -> None:
    rows = concept_rows(words)
    assert [row["id"] for row in rows] == found
    assert all(row["annotated_in"] for row in rows)


def test_what_nothing_is_called_is_refused() -> None:
    with pytest.raises(UsageError, match="No concept is called 'gout'; try a part of its name"):
        concept_rows(("AF", "gout"))
