"""A whole download against a publisher on this machine."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from cohorts.catalogue import all_cohorts
from cohorts.download import download, plan_download, publishers
from cohorts.errors import UnknownNameError, UsageError
from cohorts.release import Release
from cohorts.sources.ptb_xl import PtbXl
from tests.cohorts.download.fetching import BASE, DATA, PTB_XL, get, tree
from tests.download_server import Publisher

pytestmark = pytest.mark.usefixtures("quick")


def test_a_release_arrives_whole_and_in_its_own_layout(publisher: Publisher, tmp_path: Path) -> None:
    plan = plan_download("ptb-xl", tmp_path, mirror=publisher.url)
    assert (len(plan.files), plan.already, plan.publication.card.licence) == (7, 0, "CC-BY-4.0")
    assert plan.free > 0
    summary = download(plan)
    assert summary.complete
    assert (summary.fetched, summary.failures) == (7, ())
    assert tree(tmp_path / "ptb-xl") == PTB_XL
    assert {headers["accept-encoding"] for _, headers in publisher.asked} == {"identity"}


def test_a_second_run_asks_for_nothing(publisher: Publisher, tmp_path: Path) -> None:
    get(publisher, tmp_path)
    publisher.asked.clear()
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "ptb-xl").rglob("*")}
    plan = plan_download("ptb-xl", tmp_path, mirror=publisher.url)
    assert (plan.missing, plan.bytes, plan.already) == ([], 0, 7)
    assert download(plan).complete
    assert publisher.asked == []
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "ptb-xl").rglob("*")}


def test_only_the_wanted_folder_of_a_tree_is_fetched(publisher: Publisher, tmp_path: Path) -> None:
    files = {
        "training/georgia/g1/E00001.hea": b"georgia",
        "training/ptb/g1/S0001.hea": b"ptb",
        "training/ptb-xl/g1/HR00001.hea": b"ptb-xl",
        "LICENSE.txt": b"CC BY 4.0",
        "sources/team.zip": b"no",
    }
    publisher.physionet("challenge-2021/1.0.3", files)
    assert get(publisher, tmp_path, "ptb").fetched == 2
    assert set(tree(tmp_path / "challenge-2021")) == {"LICENSE.txt", "training/ptb/g1/S0001.hea"}
    georgia = get(publisher, tmp_path, "georgia")
    assert (georgia.fetched, georgia.already) == (1, 1)  # the licence is there already


def test_files_from_elsewhere_are_verified_and_not_fetched(publisher: Publisher, tmp_path: Path) -> None:
    target = tmp_path / "ptb-xl" / DATA
    target.parent.mkdir(parents=True)
    target.write_bytes(PTB_XL[DATA])
    summary = get(publisher, tmp_path)
    assert (summary.verified, summary.fetched) == (1, 6)
    assert BASE + DATA not in publisher.paths()


def test_a_wrong_file_on_the_disk_is_kept_aside(publisher: Publisher, tmp_path: Path) -> None:
    target = tmp_path / "ptb-xl" / "RECORDS"
    target.parent.mkdir(parents=True)
    target.write_bytes(b"mine")
    summary = get(publisher, tmp_path)
    assert summary.complete
    aside = target.with_name("RECORDS.set-aside")
    assert summary.set_aside == (aside,)
    assert aside.read_bytes() == b"mine"
    assert target.read_bytes() == PTB_XL["RECORDS"]
    target.write_bytes(b"mine, too")
    (second,) = get(publisher, tmp_path).set_aside
    assert (aside.read_bytes(), second.read_bytes()) == (b"mine", b"mine, too")


def test_verify_finds_a_changed_file_of_the_same_size(publisher: Publisher, tmp_path: Path) -> None:
    get(publisher, tmp_path)
    target = tmp_path / "ptb-xl" / DATA
    target.write_bytes(bytes(len(PTB_XL[DATA])))
    assert get(publisher, tmp_path).already == 7  # sizes alone do not tell
    summary = get(publisher, tmp_path, verify=True)
    assert (summary.verified, summary.fetched, summary.complete) == (6, 1, True)
    assert target.read_bytes() == PTB_XL[DATA]


def test_a_file_of_another_size_is_fetched_again(publisher: Publisher, tmp_path: Path) -> None:
    get(publisher, tmp_path)
    (tmp_path / "ptb-xl" / DATA).write_bytes(b"short")
    (tmp_path / "ptb-xl" / "RECORDS").unlink()
    assert get(publisher, tmp_path).fetched == 2
    assert {name: tree(tmp_path / "ptb-xl")[name] for name in PTB_XL} == PTB_XL


def test_what_is_to_come_where_the_list_has_no_sizes(publisher: Publisher, tmp_path: Path) -> None:
    get(publisher, tmp_path)
    (tmp_path / "ptb-xl" / DATA).rename(tmp_path / "ptb-xl" / f"{DATA}.part")
    (tmp_path / "ptb-xl" / "RECORDS").write_bytes(b"mine")
    plan = plan_download("ptb-xl", tmp_path, mirror=publisher.url)
    others = sum(len(content) for path, content in PTB_XL.items() if path not in (DATA, "RECORDS"))
    here = len(PTB_XL[DATA]) + len(b"mine")
    assert plan.total == 3_180_000_000 - others
    assert plan.bytes == plan.needed == plan.total - here
    seen: list[tuple[int, int]] = []
    assert download(plan, lambda done, total: seen.append((done, total))).complete
    assert seen[-1] == (len(PTB_XL[DATA]) + len(PTB_XL["RECORDS"]), plan.total)


def test_verifying_takes_no_room(publisher: Publisher, tmp_path: Path) -> None:
    get(publisher, tmp_path)
    plan = plan_download("ptb-xl", tmp_path, mirror=publisher.url, verify=True)
    assert (len(plan.missing), plan.bytes, plan.needed) == (7, 0, 0)
    assert plan.total == sum(map(len, PTB_XL.values()))


def test_memory_does_not_grow_with_the_file(publisher: Publisher, tmp_path: Path) -> None:
    publisher.zenodo(3765780, {"large.csv": bytes(32 << 20)})
    plan = plan_download("code-test", tmp_path, mirror=publisher.url)
    tracemalloc.start()
    try:
        assert download(plan).complete
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def test_every_cohort_that_is_listed_has_a_download(tmp_path: Path) -> None:
    for cohort_id, cohort in all_cohorts().items():
        if cohort.release is None:
            continue
        publication = publishers.publication_of(cohort_id)
        part = publication.release.subfolder
        assert "/".join(filter(None, (publication.folder(tmp_path).name, part))) == cohort.card.folder
        assert publication.card is cohort.card
        assert publication.record in cohort.card.url


@pytest.mark.parametrize(
    ("release", "url"),
    [(None, "https://physionet.org/content/x/1/"), (Release(size=1), "https://example.org/")],
)
def test_a_cohort_that_nobody_can_fetch_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, release: Release | None, url: str
) -> None:
    class Stranger(PtbXl):
        card = PtbXl.card.model_copy(update={"id": "stranger", "url": url, "folder": "far/away"})

    Stranger.release = release
    monkeypatch.setattr(publishers, "find_cohort", lambda _: Stranger)
    with pytest.raises(UsageError, match=rf"stranger cannot be fetched from here: see {url}.* far/away"):
        plan_download("stranger", tmp_path)


@pytest.mark.parametrize("cohort_id", ["heedb-mgh", "heedb-emory", "hefei"])
def test_a_release_that_no_program_can_fetch_says_what_to_do(cohort_id: str) -> None:
    folder = all_cohorts()[cohort_id].card.folder
    with pytest.raises(UsageError, match=rf"cannot be fetched from here: see https://[^;]+.* {folder}"):
        plan_download(cohort_id, Path())


def test_an_unknown_name_teaches() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'ptb-xl'"):
        plan_download("ptbxl", Path())


def test_addresses_are_encrypted_and_the_publishers_own() -> None:
    hosts = set()
    for cohort_id, cohort in all_cohorts().items():
        if cohort.release is None:
            continue
        publication = publishers.publication_of(cohort_id)
        release, addresses = publication.release, publishers.addresses_of(publication)
        assert not addresses.loopback
        hosts |= {url.split("/")[2] for url in addresses.lists + addresses.files}
        assert all(
            url.startswith("https://") and url.endswith("/") for url in addresses.lists + addresses.files
        )
        assert (
            (publication.card.access == "credentialed") == bool(addresses.login_to) == bool(release.agreement)
        )
        assert release.size > 1_000_000
    assert hosts == {
        "physionet.org",
        "physionet-open.s3.amazonaws.com",
        "zenodo.org",
        "ndownloader.figshare.com",
        "api.figshare.com",
    }
