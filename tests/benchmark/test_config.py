"""Where data and caches are looked for, and what a wrong setting answers."""

from __future__ import annotations

import pwd
from pathlib import Path
from typing import Any

import pytest

from benchmark.config import find_places, from_home, give_home
from cohorts.errors import UsageError


@pytest.fixture(autouse=True)
def _empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("LEADBOARD_DATA", "LEADBOARD_CACHE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user-cache"))
    for name in ("option", "variable", "file", "elsewhere"):
        (tmp_path / name).mkdir()


def test_option_before_environment_before_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find_places().data is None
    Path("leadboard.toml").write_text('data = "file"\ncache = "c"\n')
    assert find_places().data == tmp_path / "file"
    assert find_places().cache == tmp_path / "c"
    monkeypatch.setenv("LEADBOARD_DATA", "variable")
    monkeypatch.setenv("LEADBOARD_CACHE", str(tmp_path / "vc"))
    assert find_places().data == Path("variable")
    assert find_places().cache == tmp_path / "vc"
    assert find_places(Path("option"), Path("oc")).data == Path("option")
    assert find_places(Path("option"), Path("oc")).cache == tmp_path / "oc"


def test_cache_is_the_users_by_default(tmp_path: Path) -> None:
    assert find_places().cache == tmp_path / "user-cache" / "leadboard"


def test_releases_elsewhere(tmp_path: Path) -> None:
    Path("leadboard.toml").write_text('[folders]\ngeorgia = "elsewhere"\n')
    assert find_places().folders == {"georgia": tmp_path / "elsewhere"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("data = [", "not valid TOML"),
        ("dta = 'x'", "dta"),
        ("data = 3", "data"),
        ("[folders]\ngeorgia = 'nowhere'", "georgia"),
        ("[folders]\ngerogia = 'elsewhere'", "Did you mean 'georgia'"),
    ],
)
def test_wrong_files_say_what_is_wrong(text: str, words: str) -> None:
    Path("leadboard.toml").write_text(text)
    with pytest.raises(UsageError, match=words):
        find_places()


def test_a_missing_folder_is_a_wrong_call() -> None:
    with pytest.raises(UsageError, match="--data"):
        find_places(Path("nowhere"))


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


@pytest.mark.usefixtures("homeless")
def test_a_home_is_given_below_which_nothing_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "")  # is restored afterwards
    monkeypatch.delenv("HOME")
    give_home()
    with pytest.raises(OSError, match="Not a directory"):
        (Path.home() / "x").mkdir()


def test_a_home_that_is_there_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    give_home()
    assert from_home("~/x") == tmp_path / "x"


def test_the_home_of_nobody_is_told() -> None:
    with pytest.raises(UsageError, match="no home folder for ~nobody-of-that-name/x"):
        from_home("~nobody-of-that-name/x")
