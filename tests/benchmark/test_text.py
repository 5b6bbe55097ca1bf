"""What a stranger wrote cannot leave its line or its place."""

from __future__ import annotations

import doctest
import socket
from pathlib import Path

import pytest

import benchmark.text
from benchmark.text import printable, some, unnamed


def test_docstring_examples() -> None:
    assert doctest.testmod(benchmark.text).failed == 0


def test_terminal_codes_go_and_length_is_kept() -> None:
    assert printable("\x1b]0;title\x07a\x1b[2Jb\tc") == "ab c"
    assert printable("x" * 300) == "x" * 300
    assert printable("x" * 301) == "x" * 299 + "…"


def test_a_short_list_is_whole() -> None:
    assert some("ab", 2) == "a, b"


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


def test_an_account_without_a_home_is_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> None:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", none)
    assert unnamed("'/mnt/clinic/x'") == "'…/x'"
