"""Objects: durable and whole under the name of their content, or not there."""

import hashlib
from pathlib import Path

import pytest

from vendorwatch.db.objects import ObjectStore, StorageUnavailable
from vendorwatch.db.scope import Scope

SCOPE = Scope(merchant_id="m", engagement_id="e")
CONTENT = b"as it was received\r\n\xff"


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_kept_draft_is_found_by_its_hash(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path)
    with store.draft(SCOPE) as draft:
        draft.write(CONTENT[:5])
        draft.write(CONTENT[5:])
        draft.keep()
    assert draft.size == len(CONTENT)
    assert draft.sha256 == hashlib.sha256(CONTENT).digest()
    assert store.path(SCOPE, draft.sha256).read_bytes() == CONTENT
    assert files(tmp_path) == [draft.sha256.hex()]


def test_a_draft_that_was_not_kept_is_gone(tmp_path: Path) -> None:
    with ObjectStore(tmp_path).draft(SCOPE) as draft:
        draft.write(CONTENT)
    assert files(tmp_path) == []


def test_a_flushed_draft_can_be_read_before_it_is_kept(tmp_path: Path) -> None:
    with ObjectStore(tmp_path).draft(SCOPE) as draft:
        draft.write(CONTENT)
        draft.flush()
        assert draft.path.read_bytes() == CONTENT


def test_the_same_content_twice_is_one_object(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path)
    for _ in range(2):
        with store.draft(SCOPE) as draft:
            draft.write(CONTENT)
            draft.keep()
    assert files(tmp_path) == [hashlib.sha256(CONTENT).hexdigest()]


def test_another_engagement_has_another_folder(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path)
    other = Scope(merchant_id="m", engagement_id="f")
    assert store.path(SCOPE, b"x").parent != store.path(other, b"x").parent


def test_a_folder_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "e").write_text("in the way")
    with pytest.raises(StorageUnavailable), ObjectStore(tmp_path).draft(SCOPE):
        pass


def test_drafts_of_the_killed_are_swept_and_those_at_work_are_not(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path)
    with store.draft(SCOPE) as draft:
        draft.write(CONTENT)
        draft.keep()
    left = tmp_path / SCOPE.engagement_id / "draft-0123456789abcdef"
    left.write_bytes(CONTENT)
    store.sweep(older_than=left.stat().st_mtime)
    assert left.exists()
    store.sweep(older_than=left.stat().st_mtime + 1)
    assert files(tmp_path) == [draft.sha256.hex()]
