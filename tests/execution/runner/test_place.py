"""The runner's files: its user's alone, and nobody's else is touched."""

import socket
import stat

import pytest

from steelyard.errors import NotExecuted
from steelyard.execution.runner.place import alone, free_socket, secret_of


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def refused(what) -> str:
    with pytest.raises(NotExecuted) as caught:
        what()
    return caught.value.fault.code


def enter(home) -> None:
    with alone(home):
        pass


def test_the_folder_becomes_private_and_the_secret_is_made_once(tmp_path):
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    with alone(home) as secret:
        pass
    assert (mode(home), mode(home / "runner.secret"), len(secret)) == (0o700, 0o600, 64)
    with alone(home) as again:
        assert again == secret == secret_of(home)


def test_a_second_one_is_refused_while_the_first_is_there(tmp_path):
    with alone(tmp_path):
        assert refused(lambda: enter(tmp_path)) == "runner_is_there"
    enter(tmp_path)


def test_a_secret_that_others_may_read_or_that_is_none_is_refused(tmp_path):
    assert refused(lambda: secret_of(tmp_path)) == "no_runner"
    enter(tmp_path)
    file = tmp_path / "runner.secret"
    file.chmod(0o640)
    assert refused(lambda: secret_of(tmp_path)) == "runner_secret_open"
    assert refused(lambda: enter(tmp_path)) == "runner_secret_open"
    file.unlink()
    (tmp_path / "elsewhere").write_text("0" * 64)
    file.symlink_to(tmp_path / "elsewhere")
    assert refused(lambda: enter(tmp_path)) == "runner_no_secret"


def test_a_socket_that_was_left_is_removed_and_nothing_else_ever_is(tmp_path):
    path = tmp_path / "runner.sock"
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(path))
    assert free_socket(tmp_path) == path
    assert not path.exists()
    path.write_text("somebody's")
    assert refused(lambda: free_socket(tmp_path)) == "runner_no_socket"
    assert path.read_text() == "somebody's"
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")
    assert refused(lambda: free_socket(tmp_path)) == "runner_no_socket"


def test_a_path_too_long_for_a_socket_is_told(tmp_path):
    assert refused(lambda: free_socket(tmp_path / ("x" * 100))) == "runner_too_long"
