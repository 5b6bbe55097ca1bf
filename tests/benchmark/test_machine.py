"""Accounts without a home, and sentences that say nothing of the machine they come from."""

from __future__ import annotations

import pwd
import socket
from pathlib import Path
from typing import Any

import pytest

from benchmark.config import find_places
from benchmark.machine import from_home, give_home, unnamed
from cohorts.errors import UsageError


@pytest.fixture
def alice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An account with a home folder, working in a folder of it on a machine with a name."""
    home = tmp_path / "homes" / "alice"
    (home / "work").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("LOGNAME", "alice")
    monkeypatch.chdir(home / "work")
    monkeypatch.setenv("PWD", str(home / "work"))
    monkeypatch.setattr(socket, "gethostname", lambda: "ward7-pc.clinic.example")
    return home


@pytest.mark.parametrize(
    ("text", "published"),
    [
        ("No such file: '{home}/w/net.pt'", "No such file: '~/w/net.pt'"),
        ("{home}/work/run/a.json is damaged", "run/a.json is damaged"),
        ("in {home}/work, below {home}.", "in ., below ~."),
        ("{home}/.cache/leadboard/x", "~/.cache/leadboard/x"),
        ("{home}/work/.hidden/x", "./.hidden/x"),
        ("{home}2/x/y", "…/y"),
        ("'/mnt/of a clinic/records/x.dat' and /mnt/clinic/y.dat:3", "'…/x.dat' and …/y.dat:3"),
        ("file:///mnt/clinic/y.dat or:/mnt/clinic/z", "…/y.dat or:…/z"),
        ("/scratch/alice and /srv/ward7-pc/", "…/<user> and …/<host>/"),
        ("alice@ward7-pc.clinic.example, Alice's", "<user>@<host>, <user>'s"),
        ("malice 1/2 mV/s and/or https://a.org/b/c 12/03/2024", None),
        ("a\udcff\ud800", "a\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_what_is_published_names_neither_machine_nor_account(
    alice: Path, text: str, published: str | None
) -> None:
    text = text.replace("{home}", str(alice))
    assert unnamed(text) == (text if published is None else published)
    assert unnamed(unnamed(text)) == unnamed(text)


def test_names_that_many_have_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "root")
    monkeypatch.setattr(socket, "gethostname", lambda: "localhost")
    assert unnamed("the root of localhost") == "the root of localhost"


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(who: Any) -> None:
        raise KeyError(f"getpwuid(): uid not found: {who}")

    for name in ("HOME", "LOGNAME", "USER", "LNAME", "USERNAME", "XDG_CACHE_HOME", "LEADBOARD_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)


@pytest.mark.usefixtures("homeless")
def test_without_a_home_only_the_folder_that_is_not_named_is_missing(tmp_path: Path) -> None:
    assert find_places(None, tmp_path / "cache").cache == tmp_path / "cache"
    with pytest.raises(UsageError, match="no home folder; name a folder for the cache"):
        find_places()
    assert unnamed("a sentence") == "a sentence"


@pytest.mark.usefixtures("homeless")
def test_a_home_is_given_below_which_nothing_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "")  # is restored afterwards
    monkeypatch.delenv("HOME")
    give_home()
    with pytest.raises(OSError, match="Not a directory"):
        (Path.home() / "x").mkdir()


def test_a_home_that_is_there_is_kept(alice: Path) -> None:
    give_home()
    assert from_home("~/x") == alice / "x"


def test_the_home_of_nobody_is_told() -> None:
    with pytest.raises(UsageError, match="no home folder for ~nobody-of-that-name/x"):
        from_home("~nobody-of-that-name/x")
