"""A PostgreSQL server of the machine's own binaries, on a temporary folder and a free port.

PostgreSQL refuses to run as root: then it runs as `nobody`. It ends with whoever started it.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

REQUIRED = "STEELYARD_REQUIRE_POSTGRES"
"""Set to 1, a machine without the binaries is a failure, and no reason to leave something out."""
UNPRIVILEGED = "nobody"
USER = "steelyard"
SECONDS = 60
FAST = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "120",
}


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs."""

    port: int
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def fresh(self, like: str = "template1") -> str:
        """The URL of a new database, empty or a copy of another one."""
        name = f"store_{next(self.numbers)}"
        with admin(self.port) as connection:
            connection.run(f"CREATE DATABASE {name} TEMPLATE {like}")
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{name}"


@contextmanager
def admin(port: int) -> Iterator[Any]:
    """A connection to the server itself."""
    import pg8000.native  # noqa: PLC0415 - only where there is a server

    connection = pg8000.native.Connection(
        USER, host="127.0.0.1", port=port, database="postgres", timeout=SECONDS
    )
    try:
        yield connection
    finally:
        connection.close()


def binaries() -> Path | None:
    """The folder of initdb and postgres: on the path, or Debian's; None without any."""
    own = shutil.which("initdb")
    debian = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3])
    )
    places = [Path(own).resolve().parent] if own else [path.parent for path in debian[-1:]]
    return next((place for place in places if (place / "postgres").exists()), None)


@contextmanager
def running() -> Iterator[Server | None]:
    """A server while the block lasts; None where there are no binaries and none are required.

    Raises RuntimeError for a server that does not start, and for required ones that are not there.
    """
    folder = binaries()
    if folder is None:
        if os.environ.get(REQUIRED) == "1":
            raise RuntimeError(f"{REQUIRED}=1, and there is no initdb: install PostgreSQL")
        yield None
        return
    home = Path(tempfile.mkdtemp(prefix="steelyard-postgres-"))
    try:
        with _served(folder, home) as server:
            yield server
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _served(folder: Path, home: Path) -> Iterator[Server]:
    prefix = _as_somebody(home)
    data = home / "data"
    init = [folder / "initdb", "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "--no-sync"]
    _quiet([*prefix, *map(str, init), "--locale=C"], home)
    port = _free_port()
    settings = [f"-c{name}={value}" for name, value in {**FAST, "port": str(port)}.items()]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            [*prefix, str(folder / "postgres"), "-D", str(data), *settings],
            stdout=log, stderr=log, cwd=home, env=_environment(home),
        )  # fmt: skip
    try:
        _wait(process, port, home / "log")
        yield Server(port)
    finally:
        process.send_signal(signal.SIGINT)  # fast: whoever is connected is sent away
        process.wait(SECONDS)


def _as_somebody(home: Path) -> list[str]:
    """What stands before a command, so that it runs unprivileged and ends with its parent."""
    setpriv = shutil.which("setpriv")
    if os.geteuid() != 0:
        return [setpriv, "--pdeathsig", "INT"] if setpriv else []
    if setpriv is None:
        raise RuntimeError("PostgreSQL does not run as root, and there is no setpriv")
    somebody = pwd.getpwnam(UNPRIVILEGED)
    os.chown(home, somebody.pw_uid, somebody.pw_gid)
    ids = ["--reuid", str(somebody.pw_uid), "--regid", str(somebody.pw_gid)]
    return [setpriv, *ids, "--clear-groups", "--pdeathsig", "INT"]


def _environment(home: Path) -> Mapping[str, str]:
    return {"PATH": os.environ.get("PATH", ""), "HOME": str(home), "LC_ALL": "C", "TZ": "UTC"}


def _quiet(command: list[str], home: Path) -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=home, env=_environment(home), check=False
    )
    if done.returncode:
        raise RuntimeError(f"{command[-1]} failed: {done.stdout}{done.stderr}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Until the server answers; raises RuntimeError with what it wrote where it does not."""
    from pg8000.exceptions import DatabaseError, InterfaceError  # noqa: PLC0415 - as above

    end = time.monotonic() + SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            with admin(port):
                return
        except (InterfaceError, DatabaseError, OSError):
            time.sleep(0.05)
    raise RuntimeError(f"PostgreSQL did not start: {log.read_text(errors='replace')[-2000:]}")
