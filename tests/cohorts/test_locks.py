from __future__ import annotations

import errno
import fcntl
import threading
from pathlib import Path

import pytest

from cohorts.errors import LeadboardError
from cohorts.locks import locked, take_lock
from cohorts.store import prepare


def without_locks(number: int):
    def flock(*_: object) -> None:
        raise OSError(number, errno.errorcode[number])

    return flock


def test_the_second_waits_and_says_so_once(tmp_path):
    order, waits = [], threading.Event()

    def second():
        with locked(tmp_path / "a" / "lock", waiting=waits.set):
            order.append("second")

    with locked(tmp_path / "a" / "lock", waiting=lambda: order.append("waited")):
        thread = threading.Thread(target=second)
        thread.start()
        assert waits.wait(20)
        order.append("first")
    thread.join(20)
    assert order == ["first", "second"]


def test_a_lock_that_is_held_is_not_taken(tmp_path):
    path = tmp_path / "lock"
    with locked(path), path.open("ab") as other:
        assert not take_lock(other, path, wait=False)
    with path.open("ab") as other:
        assert take_lock(other, path, wait=False)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EIO])
def test_a_disk_without_locks_is_told_as_such_and_not_as_full(georgia, cache, monkeypatch, number):
    monkeypatch.setattr(fcntl, "flock", without_locks(number))
    with pytest.raises(LeadboardError) as caught:
        prepare(georgia(), cache)
    text = str(caught.value)
    assert text.startswith(f"The file system of {cache / 'stores'} ")
    assert ("has no file locks" in text) == (number != errno.EIO)
    assert text.endswith("; choose another cache folder with LEADBOARD_CACHE.")
    assert "space" not in text


@pytest.mark.parametrize(
    ("number", "advice"),
    [(errno.EROFS, "go elsewhere"), (errno.ENOSPC, "free some space, or go elsewhere")],
)
def test_a_lock_that_cannot_be_made_is_told(tmp_path, monkeypatch, number, advice):
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, "It cannot be")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(LeadboardError) as caught, locked(tmp_path / "lock", otherwise="go elsewhere"):
        pass
    assert str(caught.value) == f"Cannot write {tmp_path / 'lock'}: It cannot be; {advice}."


def test_a_store_that_is_up_to_date_needs_no_locks(georgia, cache, monkeypatch):
    prepare(georgia(), cache)
    monkeypatch.setattr(fcntl, "flock", without_locks(errno.ENOLCK))
    assert len(prepare(georgia(), cache)) == 6
