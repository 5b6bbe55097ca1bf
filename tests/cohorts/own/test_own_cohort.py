"""An own cohort: who is in it, where the recordings are, what is refused, and what makes a store stale."""

from __future__ import annotations

import inspect
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cohorts.catalogue import all_cohorts, find_cohort, register
from cohorts.cohort import MARKER
from cohorts.errors import UsageError
from cohorts.hashing import imported_files
from cohorts.own.cohort import SAME_FILE, home_of, own_cohort
from cohorts.preparing import prepare
from cohorts.store_staleness import reading_code
from tests.cohorts.own_hospital import COLUMNS, FILES, HEAD, ID, PEOPLE, beats, known, table, write

WHOLE = HEAD + PEOPLE + FILES + COLUMNS
SECRET = "Mustermann"


@pytest.fixture
def hospital(tmp_path, write_record):
    """Write six WFDB records, and the table and description that are asked for."""

    def made(rows: pd.DataFrame | None = None, description: str = WHOLE) -> Path:
        folder = tmp_path / "hospital"
        for number, counts in enumerate(beats(6), start=1):
            if not (folder / f"ecg/{number:03d}.hea").exists():
                write_record(folder / f"ecg/{number:03d}.hea", counts)
        return write(folder, table() if rows is None else rows, description)

    return made


def index_of(file: Path) -> pd.DataFrame:
    with known(file) as cohort:
        return cohort.index()


def test_the_index(hospital):
    with known(hospital()) as cohort:
        index = cohort.index().set_index("record_id")
        assert list(index.index) == [f"E{number:03d}" for number in range(1, 7)]
        assert index["patient_id"].tolist() == ["101", "101", "102", "102", "103", "103"]
        assert index["age"].tolist() == [41, 42, 43, 44, 45, 46]
        assert index["sex"].tolist() == ["female", "male"] * 3
        assert index["fold"].isna().all()
        assert index["path"].tolist() == [f"ecg/{number:03d}.hea" for number in range(1, 7)]
        assert cohort.unreadable.empty
        assert cohort.warnings() == ()
        np.testing.assert_array_equal(cohort.read("E003").counts, beats(6)[2])


def test_it_is_in_the_catalogue_until_it_is_forgotten(hospital):
    with known(hospital()):
        assert find_cohort(ID).card.access == "private"
    assert ID not in all_cohorts()


def test_an_id_that_is_taken_is_refused(hospital):
    kind = own_cohort(hospital(description=WHOLE.replace("my-hospital", "ludb")))
    with pytest.raises(UsageError, match="'ludb' already"):
        register(kind, home_of(kind))


def test_a_missing_table_or_root_is_told(hospital, tmp_path):
    with pytest.raises(UsageError, match=r"names the table none\.csv, but there is none"):
        home_of(own_cohort(hospital(description=WHOLE.replace("ecgs.csv", "none.csv"))))
    rooted = WHOLE.replace("signals =", 'root = "nowhere"\nsignals =')
    with pytest.raises(UsageError, match="no such folder"):
        home_of(own_cohort(hospital(description=rooted)))


def test_recordings_below_a_root_elsewhere(hospital, tmp_path):
    file = hospital(description=WHOLE.replace("signals =", 'root = "../archive"\nsignals ='))
    (file.parent / "ecg").rename(tmp_path / "ecg")
    (tmp_path / "archive").mkdir()
    (tmp_path / "ecg").rename(tmp_path / "archive" / "ecg")
    with known(file) as cohort, prepare(cohort, tmp_path / "cache") as store:
        assert len(store) == 6


def test_what_is_not_understood_is_counted_and_never_shown(hospital, tmp_path):
    rows = table().assign(
        age=["41", "", "-3", SECRET, "300", "46"], sex=["W", "M", "", "D", SECRET, "w"], patient=["1"] * 6
    )
    with known(hospital(rows)) as cohort, prepare(cohort, tmp_path / "cache") as store:
        np.testing.assert_array_equal(store.index["age"], [41, np.nan, np.nan, np.nan, np.nan, 46])
        assert store.index["sex"].fillna("?").tolist() == ["female", "male", "?", "?", "?", "?"]
        assert store.warnings == (
            "An age that is not understood, so that it is unknown: 3 cells of column 'age'.",
            "A sex that is not understood, so that it is unknown: 3 cells of column 'sex'.",
        )


def test_the_sex_in_words(hospital):
    words = HEAD + 'sex = "sex"\n' + FILES + COLUMNS
    rows = table().assign(sex=["Female", "MALE", "f", "m", "weiblich", ""])
    assert index_of(hospital(rows, words))["sex"].fillna("?").tolist() == [
        *("female", "male", "female", "male", "?", "?")
    ]


def test_an_age_of_the_year_of_birth(hospital):
    born = table().assign(age=["1950", "1950", "2021", "", "1890", "x"], recorded="31.12.2020", y="2019")
    dated = WHOLE.replace('age = "age"', 'birth_year = "age"\ndate = "recorded"\ndate_format = "%d.%m.%Y"')
    np.testing.assert_array_equal(index_of(hospital(born, dated))["age"], [70, 70] + [np.nan] * 4)
    yearly = WHOLE.replace('age = "age"', 'birth_year = "age"\nyear = "y"')
    np.testing.assert_array_equal(index_of(hospital(born, yearly))["age"], [69, 69] + [np.nan] * 4)


def test_dates_are_stated_or_iso(hospital):
    dated = WHOLE.replace("[labels]", 'date = "recorded"\n[labels]').replace(COLUMNS, "") + COLUMNS
    dated = HEAD + PEOPLE + 'date = "recorded"\nfirst_ecg_only = true\n' + FILES + COLUMNS
    with pytest.raises(UsageError, match=r"1 of 6 dates .* date_format") as caught:
        index_of(hospital(table().assign(recorded=["2020-01-01"] * 5 + ["03/04/2020"]), dated))
    assert "03/04" not in str(caught.value)
    stated = dated.replace("first_ecg_only", 'date_format = "%m/%d/%Y"\nfirst_ecg_only')
    with known(hospital(table().assign(recorded=["03/04/2020"] * 5 + ["31/04/2020"]), stated)) as cohort:
        cohort.index()
        assert "A date that is not understood, so that it is unknown: 1 cell " in cohort.warnings()[0]


@pytest.mark.parametrize(
    ("form", "written"),
    [
        (None, ["2020-12-31T23:30:00+01:00", "2020-12-31 23:30-0500", "2020-12-31T23:30:00.5Z"]),
        ("%d.%m.%Y %H:%M%z", ["31.12.2020 23:30+01:00", "31.12.2020 23:30 -0500", "31.12.2020 23:30Z"]),
    ],
)
def test_a_date_is_that_of_the_clock_on_the_wall(hospital, form, written):
    stated = f'date_format = "{form}"\n' if form else ""
    dated = WHOLE.replace('age = "age"', 'birth_year = "age"\ndate = "recorded"\n' + stated.rstrip())
    rows = table().assign(age="1950", recorded=written * 2)
    assert index_of(hospital(rows, dated))["age"].tolist() == [70] * 6


def test_the_first_ecg_of_a_patient(hospital, tmp_path):
    first = HEAD + PEOPLE + 'date = "recorded"\nfirst_ecg_only = true\n' + FILES + COLUMNS
    rows = table().assign(
        patient=["1", "1", "1", "2", "", "3"],
        recorded=["2020-01-02", "2020-01-01 10:00", "2020-01-01 09:59", "2019-01-01", "2020-01-01", ""],
    )
    with known(hospital(rows, first)) as cohort, prepare(cohort, tmp_path / "cache") as store:
        assert store.index["record_id"].tolist() == ["E003", "E004"]
        reasons = dict(zip(store.quarantine["record_id"], store.quarantine["reason"], strict=True))
        assert set(reasons) == {"E001", "E002", "E005", "E006"}
        assert reasons["E001"] == reasons["E002"] == "Not the first ECG of its patient (first_ecg_only)."
        assert "nobody knows" in reasons["E005"]
        assert "nobody knows" in reasons["E006"]
        content = (tmp_path / "cache" / "stores").glob("*.h5")
        assert all(b"2020-01-01" not in path.read_bytes() for path in content), "a date was stored"


def test_two_ecgs_of_one_moment_are_decided_by_their_ids(hospital):
    first = HEAD + PEOPLE + 'date = "recorded"\nfirst_ecg_only = true\n' + FILES + COLUMNS
    rows = table().assign(patient="1", recorded="2020-01-01").iloc[::-1]
    assert index_of(hospital(rows, first))["record_id"].tolist() == ["E001"]


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("../../etc/passwd", "leads out of the folder"),
        ("a/../../b.hea", "leads out of the folder"),
        ("..", "leads out of the folder"),
        ("./001.hea", "leads out of the folder"),
        ("sub\\001.hea", "backslash"),
        (".hidden.hea", "hidden file"),
        ("__MACOSX/001.hea", "hidden file"),
        ("/etc/passwd", "empty part"),
        ("a//b.hea", "empty part"),
        ("a\u202eb.hea", "cannot be seen"),
        ("x" * 5000, "too long"),
        ("", "The column 'file', which names its file, is empty."),
        ("999.hea", "Its file is not there."),
        ("", "is empty"),
    ],
)
def test_a_hostile_cell_is_quarantined(hospital, tmp_path, cell, reason):
    rows = table()
    rows.loc[2, "file"] = cell
    with known(hospital(rows)) as cohort, prepare(cohort, tmp_path / "cache") as store:
        assert store.quarantine["record_id"].tolist() == ["E003"]
        assert reason in store.quarantine["reason"][0]
        assert len(store) == 5


def test_a_cell_at_the_start_of_a_path_cannot_be_absolute(hospital, tmp_path):
    rows = table().assign(file=["/etc/passwd", "C:/x.hea", "~/x.hea", *[f"ecg/00{n}.hea" for n in (4, 5, 6)]])
    with known(hospital(rows, WHOLE.replace("ecg/{file}", "{file}"))) as cohort:
        assert cohort.unreadable["record_id"].tolist() == ["E001", "E002", "E003"]
        assert cohort.unreadable["reason"].str.contains("leads out").all()


def test_ids_that_are_missing_or_occur_twice(hospital, tmp_path):
    rows = table().assign(ecg_id=["E1", "", "E1", "E4", "E4", "E6"])
    with known(hospital(rows)) as cohort:
        assert cohort.index()["record_id"].tolist() == ["E1", "E4", "E6"]
        assert cohort.index()["path"].tolist() == ["ecg/001.hea", "ecg/004.hea", "ecg/006.hea"]
        assert cohort.unreadable["record_id"].tolist() == ["E1", "E4", "row-3"]
        assert cohort.unreadable["reason"][2] == "It has no id in column 'ecg_id'."


def test_folds(hospital):
    split = PEOPLE + 'fold = "fold"\nfolds = { training = [1], validation = [2], test = [3] }\n'
    rows = table().assign(fold=["1", "1.0", "2", "3", "", "x"])
    with known(hospital(rows, HEAD + split + FILES + COLUMNS)) as cohort:
        assert cohort.card.folds.training == (1,)
        assert cohort.index()["fold"].tolist() == [1, 2, 3]
        assert cohort.unreadable["record_id"].tolist() == ["E002", "E005", "E006"]


def test_simulated_recordings_stay_marked(hospital):
    file = hospital()
    (file.parent / MARKER).touch()
    with known(file) as cohort:
        assert cohort.card.simulated


# --- What makes a store stale ------------------------------------------------------------------------


def stores(file: Path, cache: Path) -> tuple[str, str, list[object]]:
    """Stamp, fingerprint and labels of AF of the store, and how often a signal was read is counted apart."""
    with known(file) as cohort, prepare(cohort, cache) as store:
        store.check(signals=True)
        return store.stamp, store.fingerprint, store.labels["AF"].tolist()


def count_reads(monkeypatch) -> list[str]:
    read: list[str] = []
    original = __import__("cohorts.own.recordings", fromlist=["read_file"]).read_file
    monkeypatch.setattr(
        "cohorts.own.recordings.read_file", lambda path, form: read.append(path.name) or original(path, form)
    )
    return read


def test_other_labels_leave_the_signals_alone(hospital, tmp_path, monkeypatch):
    cache, read = tmp_path / "cache", count_reads(monkeypatch)
    before = stores(hospital(), cache)
    assert before[2] == [0, -1, 1, 0, -1, 1]
    assert len(read) == 6
    rows = table()
    rows.loc[0, "af"] = "1"
    after = stores(hospital(rows), cache)
    assert after[2] == [1, -1, 1, 0, -1, 1]
    assert after[0] == before[0]
    assert after[1] != before[1], "another fingerprint: what is stated is another"
    more = stores(hospital(rows, WHOLE.replace("LBBB = ", "RBBB = ")), cache)
    assert more[0] == before[0]
    assert len(read) == 6, "no signal was read again"
    assert stores(hospital(), cache) == before, "and back again"
    assert len(read) == 6


def test_warnings_of_labels_are_made_again_with_them(hospital, tmp_path):
    cache = tmp_path / "cache"
    with known(hospital()) as cohort:
        assert prepare(cohort, cache).warnings == ()
    with known(hospital(table().assign(lbbb=""))) as cohort:
        assert "is empty in every row" in prepare(cohort, cache).warnings[0]


@pytest.mark.parametrize("change", ["age", "path", "description", "signal", "new signal file"])
def test_what_changes_the_recordings_makes_all_of_it_again(hospital, tmp_path, monkeypatch, change):
    cache, read = tmp_path / "cache", count_reads(monkeypatch)
    file = hospital()
    before = stores(file, cache)
    rows = table()
    if change == "age":
        rows.loc[1, "age"] = "90"
    elif change == "path":
        rows.loc[[1, 2], "file"] = rows.loc[[2, 1], "file"].to_numpy()
    elif change == "signal":
        path = file.parent / "ecg/002.dat"
        os.utime(path, (1, 1))
    elif change == "new signal file":
        (file.parent / "ecg/other.dat").touch()
    hospital(rows, WHOLE.replace('M" }', 'M" }\ncountry = "Norway"') if change == "description" else WHOLE)
    assert stores(file, cache)[0] != before[0]
    assert len(read) == 12


def test_other_files_beside_the_table_do_not_matter(hospital, tmp_path):
    file = hospital(
        table().assign(file=[f"ecg/00{n}.hea" for n in range(1, 7)]), WHOLE.replace("ecg/{f", "{f")
    )
    before = stores(file, tmp_path / "cache")
    (file.parent / "leaderboard.html").touch()
    (file.parent / "ecg" / "notes.txt").touch()
    assert stores(file, tmp_path / "cache") == before


def test_a_link_that_leads_nowhere_is_one_records_matter(hospital, tmp_path):
    file = hospital()
    before = stores(file, tmp_path / "cache")
    (file.parent / "ecg/001.dat").unlink()
    (file.parent / "ecg/001.dat").symlink_to(tmp_path / "gone")
    after = stores(file, tmp_path / "cache")
    assert after[0] != before[0]
    assert len(after[2]) == len(before[2]) - 1


def test_all_code_of_the_room_counts(hospital):
    kind = own_cohort(hospital())
    file = Path(inspect.getfile(kind))
    room = {path.name for path in file.parent.glob("*.py")} - {"__init__.py"}
    assert {path.name for path in imported_files(file, "cohorts.own")} == room
    assert reading_code(kind) == reading_code(kind.__base__)


def test_a_file_of_two_rows_is_one_ecg(hospital):
    rows = table()
    rows.loc[3, "file"] = rows.loc[1, "file"]
    with known(hospital(rows)) as cohort:
        assert len(cohort.index()) == len(rows) - 1
        assert cohort.unreadable.to_dict("records") == [
            {"record_id": rows.loc[3, "ecg_id"], "reason": SAME_FILE}
        ]


def test_a_patient_in_two_parts_of_the_split_is_told(hospital):
    rows = table().assign(fold=["1", "3", "2", "2", "3", "9"], patient=list("aabbcd"))
    split = 'fold = "fold"\nfolds = { training = [1], validation = [2], test = [3] }\n'
    with known(hospital(rows, WHOLE.replace('age = "age"\n', 'age = "age"\n' + split))) as cohort:
        torn, outside = cohort.warnings()
    assert "validation and test: 1;" in torn
    assert outside.endswith("none of training, validation and test: 1.")


@pytest.mark.parametrize("place", ["x" * 5000, "~nobody-of-this-name"])
@pytest.mark.parametrize("key", ["root", "index"])
def test_a_place_that_cannot_be_is_told(hospital, place, key):
    index = 'index = "ecgs.csv"\n'
    text = WHOLE.replace(index, f'{key} = "{place}"\n' + (index if key == "root" else ""))
    with pytest.raises(UsageError, match=r"no such folder|there is none"), known(hospital(description=text)):
        pass
