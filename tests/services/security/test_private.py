"""Files of secrets: 0600, whole, and refused when somebody else could have read them."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from steelyard.errors import SettingsError
from steelyard.services.security.private import make_private, read_private, write_private


def refused(path: Path) -> str:
    with pytest.raises(SettingsError, match="is not usable") as caught:
        read_private(path)
    return caught.value.fault.code


def test_what_is_written_is_for_its_owner_alone_and_nothing_else_is_left_behind(tmp_path: Path):
    path = tmp_path / "inner" / "secret"

    write_private(path, "a\n")
    write_private(path, "b\n")

    assert read_private(path) == "b\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [each.name for each in path.parent.iterdir()] == ["secret"]


def test_who_comes_second_does_not_replace_what_is_there(tmp_path: Path):
    path = tmp_path / "secret"

    make_private(path, "first")
    make_private(path, "second")

    assert read_private(path) == "first"
    assert [each.name for each in tmp_path.iterdir()] == ["secret"]


def test_a_file_that_others_can_read_a_link_and_a_folder_are_refused(tmp_path: Path):
    path, link = tmp_path / "secret", tmp_path / "link"
    write_private(path, "text")
    link.symlink_to(path)
    text = tmp_path / "text"
    write_private(text, "")
    text.write_bytes(b"\xff\xfe")

    codes = [refused(link), refused(tmp_path), refused(text)]
    for mode in (0o640, 0o604, 0o660):
        path.chmod(mode)
        codes.append(refused(path))

    assert codes[:3] == ["token_file_unreadable", "token_file_no_file", "token_file_no_text"]
    assert codes[3:] == ["token_file_open"] * 3


def test_what_cannot_be_written_is_told(tmp_path: Path):
    (tmp_path / "file").touch()

    with pytest.raises(SettingsError) as caught:
        write_private(tmp_path / "file" / "secret", "text")

    assert caught.value.fault.code == "token_file_not_written"
