"""PTB-XL: its table, its likelihoods, its axis, and what lands of real records and their reports."""

from __future__ import annotations

import shutil

import pandas as pd
import pytest

from cohorts.catalogue import find_cohort, open_cohort
from cohorts.errors import UsageError
from cohorts.ontology import load_ontology
from cohorts.preparing import prepare
from cohorts.sources.ptb_xl import PtbXl


def test_ptb_xl_at_100_hz_by_choice_and_where_nothing_else_is_there(write_release, tmp_path):
    root = write_release("ptb-xl") / "ptb-xl"
    ptb_xl = find_cohort("ptb-xl")
    fast, slow = prepare(ptb_xl(root), tmp_path), prepare(ptb_xl(root, sampling_rate=100), tmp_path)
    assert fast.path != slow.path
    assert (set(fast.rates), set(slow.rates)) == ({500.0}, {100.0})
    assert fast.fingerprint != slow.fingerprint
    shutil.rmtree(root / "records500")
    assert prepare(ptb_xl(root), tmp_path).fingerprint == slow.fingerprint
    with pytest.raises(UsageError, match="250 Hz"):
        ptb_xl(root, sampling_rate=250)


def test_the_card_and_the_variants(write_release):
    root = write_release("ptb-xl") / "ptb-xl"
    card = PtbXl.card
    assert (card.records, card.sampling_rates) == (21_799, (500.0, 100.0))
    assert card.folds is not None
    assert (card.folds.training, card.folds.validation, card.folds.test) == (
        (1, 2, 3, 4, 5, 6, 7, 8),
        (9,),
        (10,),
    )
    assert PtbXl.declared_gain == 1000.0
    assert (PtbXl(root).variant, PtbXl(root, sampling_rate=100).variant) == ("500hz", "100hz")
    assert PtbXl(root, sampling_rate=100).source_paths() == (root / "ptbxl_database.csv", root / "records100")
    for rate in (99, 101, 499, 501):
        with pytest.raises(UsageError, match=f"not at {rate} Hz"):
            PtbXl(root, sampling_rate=rate)
    shutil.rmtree(root / "records500")
    assert PtbXl(root).variant == "100hz"


@pytest.mark.parametrize(
    ("written", "read"),
    [("7.0", "7"), ("0", "0"), ("9007199254740991", "9007199254740991"), ("9007199254740992", "line-2")]
    + [(text, "line-2") for text in ("-1", "7.5", "inf", "1e16", "nan", "seven", "")],
)
def test_a_whole_number_is_an_id_however_it_is_written(write_release, written, read):
    root = write_release("ptb-xl")
    table = root / "ptb-xl" / "ptbxl_database.csv"
    rows = pd.read_csv(table, dtype=str, nrows=1).assign(ecg_id=written)
    rows.to_csv(table, index=False)
    cohort = open_cohort("ptb-xl", root)
    assert [*cohort.index()["record_id"], *cohort.unreadable["record_id"]] == [read]


def test_ptb_xl_values(write_release):
    rows = open_cohort("ptb-xl", write_release("ptb-xl")).index().set_index("record_id")
    assert rows.loc["2", "age"] == 90.0, "300 stands for more than 89"
    assert rows.loc["1", "patient_id"] == rows.loc["2", "patient_id"] == "1001"
    assert rows.loc["2", "statements"] == ("AFIB", "axis not stated"), "0: no likelihood was given"
    assert list(rows["sex"])[:2] == ["female", "male"]


def ptb_xl_with(write_release, old, new):
    root = write_release("ptb-xl")
    table = root / "ptb-xl" / "ptbxl_database.csv"
    text = table.read_text(encoding="utf-8")
    assert old in text
    table.write_text(text.replace(old, new, 1), encoding="utf-8")
    return open_cohort("ptb-xl", root)


@pytest.mark.parametrize(
    ("old", "new", "record_id", "reason"),
    [
        ("records500/00000/00003_hr", "records500/00000/09999_hr", "3", "No such file"),
        ("records500/00000/00003_hr", "../../outside", "3", "leaves the release's folder"),
        ("records500/00000/00003_hr", "/etc/passwd", "3", "leaves the release's folder"),
        ("records500/00000/00003_hr", "", "3", "names no file"),
        ("{'NORM': 100.0, 'SR': 0.0}", "__import__('os').getcwd()", "1", "scp_codes"),
        ("{'NORM': 100.0, 'SR': 0.0}", "[" * 5000, "1", "scp_codes"),
        ("{'NORM': 100.0, 'SR': 0.0}", "{}", "1", "scp_codes"),
        ("{'NORM': 100.0, 'SR': 0.0}", "{1: 100.0}", "1", "scp_codes"),
        ("{'NORM': 100.0, 'SR': 0.0}", "", "1", "scp_codes"),
        ("3,1002.0", "nan,1002.0", "line-4", "no ecg_id"),
        ("3,1002.0", "2,1002.0", "2", "occurs twice"),
    ],
)
def test_a_ptb_xl_row_that_cannot_be_used_is_quarantined_and_not_lost(
    write_release, tmp_path, old, new, record_id, reason
):
    store = prepare(ptb_xl_with(write_release, old, new), tmp_path / "cache")
    assert len(store) == 5
    assert list(store.quarantine["record_id"]) == [record_id]
    assert reason in store.quarantine["reason"][0]


@pytest.mark.parametrize(
    ("old", "new"),
    [("ecg_id,", "\ufeffecg_id,"), ("\n", "\r\n"), ("ecg_id,patient_id", '"ecg_id","patient_id"')],
)
def test_a_ptb_xl_table_may_have_a_bom_or_quotes(write_release, old, new):
    assert len(ptb_xl_with(write_release, old, new).index()) == 6


def test_ptb_xl_columns_are_found_by_name(write_release):
    root = write_release("ptb-xl")
    expected = open_cohort("ptb-xl", root).index()
    table = root / "ptb-xl" / "ptbxl_database.csv"
    frame = pd.read_csv(table, dtype=str)
    frame[frame.columns[::-1]].assign(site="1").to_csv(table, index=False)
    pd.testing.assert_frame_equal(open_cohort("ptb-xl", root).index(), expected)


@pytest.mark.parametrize("column", ["ecg_id", "patient_id", "strat_fold", "scp_codes", "filename_hr"])
def test_a_ptb_xl_table_without_a_needed_column_is_an_error(write_release, column):
    with pytest.raises(UsageError, match=f"has no column {column}"):
        ptb_xl_with(write_release, column, "other").index()


@pytest.mark.parametrize("content", [b"", b"\x00\xff\x00", b"a,b\n1,2\n"])
def test_a_ptb_xl_table_that_is_none_is_an_error(write_release, content):
    root = write_release("ptb-xl")
    (root / "ptb-xl" / "ptbxl_database.csv").write_bytes(content)
    with pytest.raises(UsageError, match=r"ptbxl_database\.csv"):
        open_cohort("ptb-xl", root).index()


def test_a_field_larger_than_csv_takes_is_an_error(write_release):
    with pytest.raises(UsageError, match="near line"):
        ptb_xl_with(write_release, "sinusrhythmus", "x" * 200_000).index()


def with_column(write_release, column, cells):
    root = write_release("ptb-xl")
    table = root / "ptb-xl" / "ptbxl_database.csv"
    pd.read_csv(table, dtype=str).assign(**{column: cells}).to_csv(table, index=False)
    return open_cohort("ptb-xl", root)


# --- statements --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "statements"),
    [
        ("{'IMI': 15.0, 'ABQRS': 0.0, 'SR': 0.0}", ("IMI+15", "ABQRS", "SR")),
        ("{'NORM': 80.0, 'LVH': 35.0}", ("NORM+80", "LVH+35")),
        ("{'NORM': 100, 'SR': 0}", ("NORM", "SR")),
        ("{'NORM': 99.5}", ("NORM+99.5",)),
        ("{'NORM': 1}", ("NORM+1",)),
    ],
)
def test_a_statement_carries_its_likelihood(write_release, cell, statements):
    rows = ptb_xl_with(write_release, "{'NORM': 100.0, 'SR': 0.0}", cell).index()
    assert rows["statements"][0] == (*statements, "axis not stated")


@pytest.mark.parametrize("cell", ["{'NORM': 'sure'}", "{'NORM': None}", "['NORM']", "{'NORM': 100.0", "0"])
def test_scp_codes_that_are_no_statements_with_likelihoods_are_quarantined(write_release, cell):
    cohort = ptb_xl_with(write_release, "\"{'NORM': 100.0, 'SR': 0.0}\"", f'"{cell}"')
    assert cohort.unreadable.to_numpy().tolist() == [
        ["1", "ptbxl_database.csv has no scp_codes that can be read for this record."]
    ]


def test_the_longest_cell_that_is_read(write_release):
    def cell(length):
        return "{'NORM': 100.0}".ljust(length)

    unreadable = [
        len(with_column(write_release, "scp_codes", cell(length)).unreadable) for length in (10_000, 10_001)
    ]
    assert unreadable == [0, 6]


def test_the_axis_is_a_statement(write_release):
    cells = ["ALAD", "MID ", "", "SAG", "lad", "ARAD"]
    stated = [codes[-1] for codes in with_column(write_release, "heart_axis", cells).index()["statements"]]
    assert stated == ["axis ALAD", "axis MID", *["axis not stated"] * 3, "axis ARAD"]


def test_extra_beats_are_statements(write_release):
    cells = ["VES", "SVES2", "1ES", "", "VES, sves,VES", "3ES VES"]
    found = [
        [code for code in codes if code.startswith("extra")]
        for codes in with_column(write_release, "extra_beats", cells).index()["statements"]
    ]
    both = ["extra beats VES", "extra beats SVES"]
    assert found == [
        ["extra beats VES"],
        ["extra beats SVES"],
        ["extra beats"],
        [],
        both,
        ["extra beats", both[0]],
    ]


def label(concept, *codes):
    return int(load_ontology().labels("ptb-xl", "scp", [codes]).loc[0, concept])


@pytest.mark.parametrize(
    ("axis", "left", "right"),
    [
        ("ALAD", 1, 0),
        ("LAD", -1, 0),
        ("AXL", -1, 0),
        ("MID", 0, 0),
        ("AXR", 0, -1),
        ("RAD", 0, -1),
        ("ARAD", 0, 1),
        ("not stated", -1, -1),
    ],
)
def test_what_the_axis_says_of_its_deviation(axis, left, right):
    codes = ("SR", "NORM", f"axis {axis}")
    assert (label("LAD", *codes), label("RAD", *codes)) == (left, right)


@pytest.mark.parametrize("code", ["LVH", "IMI", "NORM", "LAFB", "AFIB"])
@pytest.mark.parametrize(("likelihood", "expected"), [(15, -1), (35, -1), (50, -1), (80, 1), (90, -1)])
def test_a_hedge_is_no_positive(code, likelihood, expected):
    concept = {"LAFB": "LAnFB", "AFIB": "AF"}.get(code, code)
    assert label(concept, f"{code}+{likelihood}", "SR") == expected


def test_a_likelihood_that_the_release_does_not_have_leaves_everything_open():
    assert label("RBBB", "LVH+90", "SR") == -1
    assert load_ontology().unknown_codes("scp", [["LVH+90", "LVH+35"]]) == {"LVH+90": 1}


def test_normal_beside_a_hedged_hypertrophy():
    codes = ("NORM+80", "LVH+35", "SR")
    assert (label("NORM", *codes), label("LVH", *codes)) == (1, -1)


# Extra beats that the statements lack, and those that they have.
@pytest.mark.parametrize(
    ("codes", "ventricular", "atrial"),
    [
        (("SR", "extra beats VES"), -1, 0),
        (("SR", "extra beats SVES"), 0, -1),
        (("SR", "extra beats"), -1, -1),
        (("SR", "PVC", "extra beats VES"), 1, 0),
        (("SR", "PVC", "extra beats"), 1, -1),
        (("SR",), 0, 0),
    ],
)
def test_extra_beats_that_no_statement_names_are_left_open(codes, ventricular, atrial):
    assert (label("PVC", *codes), label("PAC", *codes)) == (ventricular, atrial)
