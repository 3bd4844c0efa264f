"""The whole topology on one machine: every instance a process of its own, and one that watches.

`Household` binds all sockets, starts the processes, waits until each is healthy, and ends them. A
process that dies is started again, later each time that it dies soon; `watch` says so. If this
process dies, its children end by themselves: see `process`.
"""

from __future__ import annotations

import http.client
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from types import TracebackType

from steelyard.errors import ServiceError
from steelyard.services.applications import health_path
from steelyard.services.health import Application
from steelyard.services.process import Order, main
from steelyard.services.server import GRACE_S
from steelyard.services.sockets import LOOPBACK, bound, port_of
from steelyard.services.topology import NAMES, Name, Topology

CONTEXT = get_context("spawn") if sys.platform == "win32" else get_context("forkserver")
CONTEXT.set_forkserver_preload(["steelyard.services.process", "steelyard.planning.planner"])
"""What every service needs is imported once, in a process without threads that splits; so one is
there again at once."""
KEYS = "APCA_"
"""How every variable begins that has keys of a broker: no service gets them."""
THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
"""Of libraries of linear algebra: one each, for the processes are the parallelism."""
START_S = 60.0
HEALTH_S = 10.0
POLL_S = 0.05
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
LIVED_S = 60.0
"""After so long a process counts as one that did not die soon."""

Tell = Callable[[str], None]


@dataclass(slots=True)
class Member:
    """One instance: which service, where it listens, and its process at this time."""

    name: Name
    port: int
    process: BaseProcess
    began: float
    pause: float = FIRST_PAUSE_S
    again_at: float | None = None

    @property
    def pid(self) -> int:
        """Of its process."""
        return self.process.pid or 0

    @property
    def label(self) -> str:
        """`evaluator at 127.0.0.1:8010`."""
        return f"{self.name} at 127.0.0.1:{self.port}"


@dataclass
class Household:
    """Services of this machine, started at `with`, and ended with it.

    ports         of each service's instances; 0 = one that is free
    topology      who is asked at which timeouts; its instances of this machine are those started
    variables     environment of the processes, out of which brokers' keys are taken
    certificate   the coordinator is asked from elsewhere, over TLS; None = from here alone
    """

    ports: Mapping[Name, Sequence[int]]
    topology: Topology
    variables: Mapping[str, str]
    members: list[Member] = field(default_factory=list)

    def __enter__(self) -> Household:
        """Started, and each healthy; raises ServiceError, with nothing left running."""
        try:
            self._start_all()
            for member in self.members:
                self._await(member)
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.end()

    def member(self, name: Name, index: int = 0) -> Member:
        """One of a service's instances."""
        return [each for each in self.members if each.name == name][index]

    def watch(self, tell: Tell) -> None:
        """Start again whatever dies, until a signal ends this process."""
        while True:
            for member in self.members:
                self._look_after(member, tell)
            time.sleep(POLL_S)

    def end(self) -> None:
        """End all: who asks others first, so that nothing under way is cut off."""
        for name in reversed(NAMES):
            members = [each for each in self.members if each.name == name]
            for each in members:
                each.process.terminate()
            for each in members:
                _reap(each.process)

    def _start_all(self) -> None:
        sockets = _bound_all(self.ports)
        try:
            ports = {name: tuple(map(port_of, instances)) for name, instances in sockets.items()}
            self.topology = self.topology.moved(ports)
            for name, instances in sockets.items():
                for each in instances:
                    self.members.append(self._started(name, each))
        finally:
            for instances in sockets.values():
                _close(*instances)

    def _started(self, name: Name, sockets: Sequence[socket.socket]) -> Member:
        """A process with these sockets, which are its own from now on."""
        order = Order(name, self.topology, _environment(self.variables))
        process = CONTEXT.Process(target=main, args=(order, tuple(sockets)))
        with _as_environment(order.variables):
            process.start()
        return Member(name, port_of(sockets), process, time.monotonic())

    def _await(self, member: Member) -> None:
        end = time.monotonic() + START_S
        while not healthy(member.name, member.port):
            code = member.process.exitcode
            if code is not None or time.monotonic() > end:
                what = f"is not healthy after {START_S:g} s" if code is None else _ended(code)
                raise ServiceError(
                    f"{member.label} {what}. Nothing is served. What it said stands above.",
                    code="service_not_started",
                    place=member.label,
                    value=code,
                )
            time.sleep(POLL_S)

    def _look_after(self, member: Member, tell: Tell) -> None:
        now = time.monotonic()
        if member.again_at is None:
            code = member.process.exitcode
            if code is None:
                return
            if now - member.began > LIVED_S:
                member.pause = FIRST_PAUSE_S
            member.again_at = now + member.pause
            tell(f"{member.label} (pid {member.pid}) {_ended(code)}; again in {member.pause:g} s.")
            member.pause = min(2 * member.pause, LONGEST_PAUSE_S)
        elif now >= member.again_at:
            self._again(member, tell)

    def _again(self, member: Member, tell: Tell) -> None:
        try:
            sockets = bound(LOOPBACK, member.port)
        except ServiceError as error:
            tell(str(error))
            member.again_at = time.monotonic() + member.pause
            member.pause = min(2 * member.pause, LONGEST_PAUSE_S)
            return
        try:
            after = self._started(member.name, sockets)
        finally:
            _close(sockets)
        member.process, member.began, member.again_at = after.process, after.began, None
        tell(f"{member.label} is started again, pid {member.pid}.")


def healthy(name: Application, port: int) -> bool:
    """Does a service of this machine answer that it is well?"""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=HEALTH_S)
    try:
        connection.request("GET", health_path(name))
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _bound_all(
    ports: Mapping[Name, Sequence[int]],
) -> dict[Name, list[tuple[socket.socket, ...]]]:
    """Sockets of every instance; raises ServiceError for all the ports that are not to be had."""
    sockets: dict[Name, list[tuple[socket.socket, ...]]] = {name: [] for name in ports}
    errors: list[ServiceError] = []
    for name, numbers in ports.items():
        for port in numbers:
            try:
                sockets[name].append(bound(LOOPBACK, port))
            except ServiceError as error:
                errors.append(error)
    if not errors:
        return sockets
    for instances in sockets.values():
        _close(*instances)
    if len(errors) == 1:
        raise errors[0]
    places = ", ".join(error.fault.place for error in errors)
    raise ServiceError(
        f"{len(errors)} addresses are not free: {places}. Nothing was started. End what listens "
        "there, or choose others with --base-port.",
        code="ports_in_use",
        place=errors[0].fault.place,
        value=len(errors),
        hint="choose others with --base-port",
        faults=[error.fault for error in errors],
    )


def _close(*instances: Sequence[socket.socket]) -> None:
    for sockets in instances:
        for each in sockets:
            each.close()


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    fixed = {"PYDANTIC_DISABLE_PLUGINS": "__all__", **dict.fromkeys(THREADS, "1")}
    own = {name: text for name, text in variables.items() if not name.startswith(KEYS)}
    return {**fixed, **own}


def _ended(code: int) -> str:
    return f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"


def _reap(process: BaseProcess) -> None:
    process.join(GRACE_S + 5)
    if process.is_alive():
        process.kill()
        process.join()


@contextmanager
def _as_environment(variables: Mapping[str, str]) -> Iterator[None]:
    """What is started inside has this environment and no other."""
    own = dict(os.environ)
    os.environ.clear()
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(own)
