"""cohort.toml: every slip is one sentence that says what was probably meant."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from cohorts.errors import UsageError
from cohorts.own.cohort import own_cohort
from cohorts.own.description import Description
from cohorts.own.reading import read_description
from cohorts.scaffold import write_description
from tests.cohorts.own_hospital import COLUMNS, FILES, HEAD, PEOPLE, table, write

WHOLE = HEAD + PEOPLE + FILES + COLUMNS
ARRAY = '[array]\nunit = "mV"\nrate = 500\nleads = ["I", "II"]\naxes = ["leads", "samples"]\n'


def described(folder: Path, text: str) -> Description:
    return read_description(write(folder, table(), text))


def test_a_whole_description(tmp_path):
    found = described(tmp_path, WHOLE)
    assert found.cohort.id == "my-hospital"
    assert found.cohort.access == found.cohort.licence == "private"
    assert found.cohort.template() == [("ecg/", "file")]
    assert found.labels.columns == {"AF": "af", "LBBB": "lbbb"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("record_id", "recordid", "[cohort] has no key 'recordid'; did you mean 'record_id'?"),
        ("[labels]", "[label]", "the file has no key 'label'; did you mean 'labels'?"),
        ("columns =", "colums =", "[labels] has no key 'colums'; did you mean 'columns'?"),
        ("age =", "columns =", "'columns' belongs to [labels], not to [cohort]."),
        ("female =", "femal =", "[cohort.sex] has no key 'femal'; did you mean 'female'?"),
        ("AF =", "AFib =", "unknown concept 'AFib'; did you mean AF"),
        ("AF =", "BIFB =", "BIFB is computed from RBBB and LAnFB; give those"),
        ('index = "ecgs.csv"\n', "", "cohort has no index; add it."),
        ("ecg/{file}", "../ecg/{file}", "leads out of the folder of the cohort"),
        ("ecg/{file}", "/ecg/{file}", "leads out of the folder of the cohort"),
        ("ecg/{file}", "ecg/{file!r}", "something else than a column's name in braces"),
        ("ecg/{file}", "ecg/{}", "something else than a column's name in braces"),
        ("ecg/{file}", "ecg/{file", "no path with columns in braces"),
        ("ecg/{file}", "ecg\\\\{file}", "a backslash"),
        ('age = "age"', 'birth_year = "age"', "name its column as date or year"),
        ('age = "age"', 'age = "age"\nfirst_ecg_only = true\ndate = "recorded"\n#', None),
        ('patient_id = "patient"', "first_ecg_only = true", "needs patient_id and date"),
        ('age = "age"', 'fold = "age"', "go together"),
        ('age = "age"', 'report = "age"', "report (the column) and report_language"),
        ('columns = { AF = "af", LBBB = "lbbb" }', "", "[labels] says nothing; give columns"),
        ('id = "my-hospital"', 'id = "My hospital"', "cohort.id: string should match pattern"),
        ("{ column", "{ colunm", "[cohort.sex] has no key 'colunm'; did you mean 'column'?"),
        ("[labels]", '[array]\nunit = "mv"\n[labels]', "array.unit: input should be 'mV', 'uV' or 'V'"),
        ("ecg/{file}", f'ecg/{{file}}"\nformat = "muse"\n{ARRAY}#', "the table [array] is for format ="),
        ('age = "age"', 'age = "age"\nbirth_date = "born"', "age and birth_date are ways to say one thing"),
        ('age = "age"', 'birth_date = "born"', "birth_date gives an age only with the date"),
        ('age = "age"', 'birth_date_format = "%d.%m.%Y"', "which names no column"),
        (
            'age = "age"',
            'date = "recorded"\nbirth_date = "born"\nbirth_date_format = "%d.%m.%y"',
            "with their century",
        ),
        (
            "[labels]",
            '[labels.statements]\ncolumn = "a"\nvocabulary = "b"\nseparator = ","\n'
            "free_text = true\n[labels]",
            "without a separator",
        ),
        ("ecg/{file}", 'ecg/{file}"\nformat = "hdf5', 'format = "hdf5" needs a table [array]'),
        (
            "[labels]",
            '[labels.icd10]\ntable = "d.csv"\nwindow_days = [9, 1]\n[labels]',
            "begins after its end",
        ),
        ("columns = {", "columnz = {", "did you mean 'columns'"),
        ("ecg/{file}", "ecg/all.xml", "names one file for all ECGs"),
        ('age = "age"', 'date = "recorded"\ndate_format = "%Q"', "it is no format of dates"),
        ('age = "age"', 'date = "recorded"\ndate_format = "%d%d"', "it is no format of dates"),
        ('age = "age"', 'date = "recorded"\ndate_format = "mixed"', "it needs the year and the month"),
        ('age = "age"', 'date = "recorded"\ndate_format = "%z %Y-%m-%d"', "may only stand at its end"),
        (
            'age = "age"',
            'fold = "age"\nfolds = { training = [1], validation = [2], test = [1] }',
            "two of its",
        ),
        (
            "[labels]",
            '[labels.statements]\ncolumn = "a"\nvocabulary = "b"\nseparator = ""\n[labels]',
            "1 char",
        ),
    ],
)
def test_a_slip_is_told(tmp_path, old, new, said):
    assert old in WHOLE
    text = WHOLE.replace(old, new, 1)
    if said is None:
        described(tmp_path, text)
        return
    with pytest.raises(UsageError) as caught:
        described(tmp_path, text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["[cohort", "\x00", "a = 1", "", "[[cohort]]\n", "[" * 5000])
def test_what_is_no_description_is_refused(tmp_path, text):
    with pytest.raises(UsageError):
        described(tmp_path, text)


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "missing.toml"):
        with pytest.raises(UsageError, match="no file of at most"):
            read_description(path)
    (tmp_path / "latin.toml").write_bytes('[cohort]\nid = "ä"'.encode("latin-1"))
    with pytest.raises(UsageError, match="not valid TOML"):
        read_description(tmp_path / "latin.toml")


def test_codes_of_the_sexes_may_be_numbers_and_lists(tmp_path):
    text = WHOLE.replace('female = "W", male = "M"', 'female = [2, "w"], male = 1')
    sexes = described(tmp_path, text).cohort.sex
    assert (sexes.female, sexes.male) == (("2", "w"), ("1",))


def test_the_template_is_a_description_and_each_of_its_lines_can_be_used(tmp_path):
    file = write_description("my-clinic", tmp_path)
    found = read_description(file)
    assert found.cohort.id == "my-clinic"
    text = file.read_text()
    # Every setting that is only explained is one that there is.
    explained = [line[2:] for line in text.splitlines() if re.match(r"# \w+ = ", line)]
    names = {line.split(" = ")[0] for line in explained} - {"birth_year", "year", "my-clinic"}
    names -= {"birth_date", "birth_date_format", "free_text"}  # in place of others
    assert {"date", "first_ecg_only", "axes", "vocabulary", "window_days", "root", "fold"} <= names
    options = [line for line in explained if line.split(" = ")[0] in names]
    whole = tomllib.loads(text)
    tables = {"array": {"axes", "unit", "rate", "leads", "dataset", "row"}}
    tables["statements"] = {"column", "separator", "vocabulary", "empty", "annotated"}
    tables["icd10"] = {"table", "patient_id", "code", "date", "window_days"}
    at = {name: text.index(f"# [{name}]") for name in ("array", "labels.statements", "labels.icd10")}
    assert at["array"] < at["labels.statements"] < at["labels.icd10"]
    for line in options:
        key = line.split(" = ")[0]
        value = tomllib.loads(line.split(" # ")[0].split("   #")[0])[key]
        place = text.index(f"# {line}")
        if place > at["labels.icd10"]:
            whole["labels"].setdefault("icd10", {})[key] = value
        elif place > at["labels.statements"]:
            whole["labels"].setdefault("statements", {})[key] = value
        elif place > at["array"]:
            whole.setdefault("array", {})[key] = value
        else:
            whole["cohort"][key] = value
    whole["cohort"] |= {"format": "hdf5", "signals": "ecgs.h5"}
    assert Description.model_validate(whole).labels.icd10.window_days == (-30, 30)


def test_a_template_does_not_overwrite(tmp_path):
    write_description("my-clinic", tmp_path)
    with pytest.raises(UsageError, match="is there already"):
        write_description("other", tmp_path)
    for name in ("My", "a b", "", "a--b", "a/b", "a" * 41):
        with pytest.raises(UsageError, match="cannot be the id"):
            write_description(name, tmp_path / "new")


def test_a_card_says_that_it_is_private(tmp_path):
    card = own_cohort(write(tmp_path, table(), WHOLE)).card
    assert (card.access, card.records, card.version, card.sampling_rates) == ("private", None, "1", ())
