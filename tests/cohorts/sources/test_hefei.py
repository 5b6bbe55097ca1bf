"""Hefei: eight leads as text, 34 events in Chinese, a rhythm that may be missing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cohorts.catalogue import find_cohort, open_cohort
from cohorts.errors import UsageError
from cohorts.ontology import load_ontology
from cohorts.preparing import prepare
from cohorts.recording import standard_leads
from tests.cohorts.array_releases import ecg, write_hefei

# The list of events that came with round two.
EVENTS = [
    "QRS低电压",
    "电轴右偏",
    "起搏心律",
    "T波改变",
    "电轴左偏",
    "心房颤动",
    "非特异性ST段异常",
    "下壁异常Q波",
    "前间壁R波递增不良",
    "ST段改变",
    "一度房室传导阻滞",
    "左束支传导阻滞",
    "右束支传导阻滞",
    "完全性左束支传导阻滞",
    "左前分支传导阻滞",
    "右心房扩大",
    "短PR间期",
    "左心室高电压",
    "窦性心动过缓",
    "早期复极化",
    "窦性心律",
    "融合波",
    "ST-T改变",
    "非特异性ST段与T波异常",
    "快心室率",
    "非特异性T波异常",
    "室性早搏",
    "房性早搏",
    "窦性心律不齐",
    "完全性右束支传导阻滞",
    "窦性心动过速",
    "不完全性右束支传导阻滞",
    "顺钟向转位",
    "逆钟向转位",
]


def labels(*records: list[str]) -> pd.DataFrame:
    return load_ontology().labels("hefei", "hefei", records)


def test_rows_are_read_as_they_stand(tmp_path):
    folder = write_hefei(tmp_path)
    rows = open_cohort("hefei", tmp_path).index().set_index("record_id")
    assert rows["statements"].to_dict() == {
        "100001": ("窦性心动过缓", "T波改变"),
        "100002": ("心房颤动", "快心室率"),
        "100003": ("电轴左偏", "左心室高电压", "no rhythm stated"),
    }
    assert rows.loc["100001", "age"] == 57.0
    assert np.isnan(rows.loc["100002", "age"])
    assert rows["sex"].fillna("").tolist() == ["female", "male", ""]
    (folder / "hf_round2_train.txt").rename(folder / "hf_round2_label.txt")
    again = open_cohort("hefei", tmp_path).index().set_index("record_id")
    pd.testing.assert_frame_equal(rows, again)


def test_a_unit_is_4_88_microvolts_and_four_leads_follow_from_two(tmp_path):
    write_hefei(tmp_path)
    digital = open_cohort("hefei", tmp_path).read("100002")
    assert len(digital.leads) == 8
    recording = standard_leads(digital).to_recording()
    assert recording.sampling_rate == 500.0
    # Rounding to a unit is half of 4.88 µV, and the derived leads add two of these.
    np.testing.assert_allclose(recording.signal, ecg(1, 5000), atol=0.005)


def test_every_event_of_the_list_is_known_and_34_they_are():
    assert len(set(EVENTS)) == 34
    table = load_ontology().vocabularies["hefei"]
    assert set(table["code"]) == {*EVENTS, "no rhythm stated"}
    assert table["name"][table["code"] != "no rhythm stated"].str.isascii().all(), "names are English"


@pytest.mark.parametrize(
    ("events", "wanted"),
    [
        (
            ["窦性心律", "完全性右束支传导阻滞"],
            {"NSR": 1, "RBBB": 1, "IRBBB": 0, "SB": 0, "AF": 0, "AF_AFL": -1},
        ),
        (["心房颤动"], {"AF": 1, "NSR": 0, "STach": 0}),
        (
            ["电轴左偏", "no rhythm stated"],
            {"LAD": 1, "NSR": -1, "SB": -1, "STach": -1, "SA": -1, "AF": -1, "PR": -1},
        ),
        (["窦性心律", "ST-T改变"], {"TAb": -1, "TInv": -1, "STD": -1, "STE": -1}),
        (["窦性心律", "T波改变"], {"TAb": 1, "TInv": -1}),
        (["窦性心律", "左前分支传导阻滞"], {"LAnFB": 1, "LAD": -1}),
        (["窦性心律", "下壁异常Q波"], {"QAb": -1, "IMI": -1, "MI": -1}),
        (["窦性心律", "左心室高电压"], {"LVHV": 1, "LVH": -1}),
        (["窦性心律", "完全性左束支传导阻滞"], {"LBBB": -1, "BBB_ANY": -1, "NORM": -1}),
    ],
)
def test_labels(events, wanted):
    found = labels(events).loc[0]
    assert {concept: int(found[concept]) for concept in wanted} == wanted


@pytest.mark.parametrize(
    ("line", "record_id", "reason"),
    [
        ("100009\t50\tMALE\t窦性心律\t", "line-2", "Line 2 of hf_round2_train.txt names no file"),
        (".txt\t50\tMALE\t窦性心律\t", "line-2", "names no file"),
        ("100009.txt\t50\tMALE\t\t", "100009", "names no event for this record"),
        ("100009.txt", "100009", "names no event for this record"),
        ("100001.txt\t50\tMALE\t窦性心律\t", "100001", "occurs twice"),
        ("../x.txt\t50\tMALE\t窦性心律\t", "../x", "leaves the release's folder"),
    ],
)
def test_a_line_that_cannot_be_believed_is_quarantined(tmp_path, line, record_id, reason):
    folder = write_hefei(tmp_path)
    lines = (folder / "hf_round2_train.txt").read_text("utf-8").splitlines()
    (folder / "hf_round2_train.txt").write_text("\n".join([lines[0], line, *lines[1:]]), "utf-8")
    store = prepare(open_cohort("hefei", tmp_path), tmp_path / "cache")
    assert len(store) == 3
    assert list(store.quarantine["record_id"]) == [record_id]
    assert reason in store.quarantine["reason"][0]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda text: text.replace("I II V1", "II I V1", 1),
            "does not begin with the names of the eight leads",
        ),
        (lambda text: text[: len(text) // 2].rpartition(" ")[0], "cannot be read"),
        (lambda text: text.partition("\n")[0], "has 0 samples"),
        (lambda text: text.replace("V6\n", "V6\n99999 ", 1), "cannot be read"),
        (lambda text: "I II V1 V2 V3 V4 V5 V6\n1 2 3 4 5 6 7 40000\n", "eight numbers of 16 bits"),
        (lambda text: "I II V1 V2 V3 V4 V5 V6\n1 2 3\n", "eight numbers of 16 bits"),
        (lambda text: "I II V1 V2 V3 V4 V5 V6\n1 2 3 4 5 6 7 x\n", "cannot be read"),
        (lambda text: "", "cannot be read"),
    ],
)
def test_a_damaged_recording_is_quarantined(tmp_path, change, reason):
    file = write_hefei(tmp_path) / "hf_round2_train/100002.txt"
    file.write_text(change(file.read_text()))
    store = prepare(open_cohort("hefei", tmp_path), tmp_path / "cache")
    assert list(store.quarantine["record_id"]) == ["100002"]
    assert reason in store.quarantine["reason"][0]


def test_a_list_in_another_encoding_is_an_error(tmp_path):
    folder = write_hefei(tmp_path)
    (folder / "hf_round2_train.txt").write_bytes("100001.txt\t1\tMALE\t窦性心律".encode("gbk"))
    with pytest.raises(UsageError, match="is not UTF-8 text"):
        open_cohort("hefei", tmp_path).index()


def test_the_licence_is_said_to_be_unknown():
    assert find_cohort("hefei").card.licence == "not stated"
