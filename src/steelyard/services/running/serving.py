"""The whole topology on one machine: every instance a process of its own, and one that watches.

`Household` binds all sockets, starts the processes, waits until each is healthy, and ends them. A
process that dies is started again, later each time that it dies soon; `watch` says so. If this
process dies, its children end by themselves: see `process`.
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import ssl
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from multiprocessing.process import BaseProcess
from types import TracebackType

from steelyard.errors import ServiceError
from steelyard.services.running.certificates import Certificate
from steelyard.services.running.nursery import environment_of, process_of
from steelyard.services.running.orders import MODULE, Order, health_path
from steelyard.services.running.reach import LOCAL, Reach
from steelyard.services.running.sockets import LOOPBACK, bound, port_of
from steelyard.services.topology import NAMES, Application, Name, Topology

START_S, DOWN_S = 60.0, 15.0
HEALTH_S = 10.0
LAST_S = 15.0
"""For a process to end, then it is ended."""
POLL_S, POLL_DOWN_S = 0.05, 1.0
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
    pid: int
    began: float
    pause: float = FIRST_PAUSE_S
    again_at: float | None = None

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
    coordinator   from where it is asked; the others are asked from this machine alone
    """

    ports: Mapping[Name, Sequence[int]]
    topology: Topology
    variables: Mapping[str, str]
    coordinator: Reach = LOCAL
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
                each.process.join(LAST_S)
                _sweep(each.pid)
                each.process.join()

    def _start_all(self) -> None:
        sockets = self._bound()
        try:
            ports = {name: tuple(map(port_of, instances)) for name, instances in sockets.items()}
            self.topology = self.topology.moved(ports)
            for name, instances in sockets.items():
                for each in instances:
                    self.members.append(self._started(name, each))
        finally:
            for instances in sockets.values():
                _close(*instances)

    def _reach(self, name: Name) -> Reach:
        return self.coordinator if name == "coordinator" else LOCAL

    def _bound(self) -> dict[Name, list[tuple[socket.socket, ...]]]:
        """Sockets of every instance; raises ServiceError for all the ports that are not free."""
        sockets: dict[Name, list[tuple[socket.socket, ...]]] = {name: [] for name in self.ports}
        errors: list[ServiceError] = []
        for name, numbers in self.ports.items():
            for port in numbers:
                try:
                    sockets[name].append(bound(self._reach(name).addresses, port))
                except ServiceError as error:
                    errors.append(error)
        if errors:
            for instances in sockets.values():
                _close(*instances)
            raise _none_bound(errors)
        return sockets

    def _started(self, name: Name, sockets: Sequence[socket.socket]) -> Member:
        """A process with these sockets, which are its own from now on."""
        order = Order(name, self.topology, environment_of(self.variables), self._reach(name))
        process = process_of(self.variables, MODULE, order, tuple(sockets))
        return Member(name, port_of(sockets), process, process.pid or 0, time.monotonic())

    def _await(self, member: Member) -> None:
        """Raises ServiceError if it ends, or is not well in time: soon, once it answers at all."""
        end, certificate = time.monotonic() + START_S, self._reach(member.name).certificate
        while (status := health(member.name, member.port, certificate)) != HTTPStatus.OK:
            now, code = time.monotonic(), member.process.exitcode
            if status is not None:
                end = min(end, now + DOWN_S)
            if code is not None or now > end:
                what = _ended(code) if code is not None else "is not well"
                raise ServiceError(
                    f"{member.label} {what}. Nothing is served. What it said stands above.",
                    code="service_not_started",
                    place=member.label,
                    value=status if code is None else code,
                )
            time.sleep(
                POLL_S if status is None else POLL_DOWN_S
            )  # each answer is a line of its log

    def _look_after(self, member: Member, tell: Tell) -> None:
        now = time.monotonic()
        if member.again_at is None:
            code = member.process.exitcode
            if code is None:
                return
            _sweep(member.pid)
            if now - member.began > LIVED_S:
                member.pause = FIRST_PAUSE_S
            _later(member, f"{member.label} (pid {member.pid}) {_ended(code)}", tell)
        elif now >= member.again_at:
            self._again(member, tell)

    def _again(self, member: Member, tell: Tell) -> None:
        try:
            sockets = bound(self._reach(member.name).addresses, member.port)
        except ServiceError as error:
            _later(member, f"{error.fault.place} is not free for {member.name}", tell)
            return
        try:
            after = self._started(member.name, sockets)
        finally:
            _close(sockets)
        member.process, member.pid = after.process, after.pid
        member.began, member.again_at = after.began, None
        tell(f"{member.label} is started again, pid {member.pid}.")


def health(name: Application, port: int, certificate: Certificate | None = None) -> int | None:
    """What a service of this machine answers when it is asked how it is; None if nothing."""
    connection = _connection(port, certificate)
    try:
        connection.request("GET", health_path(name))
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _connection(port: int, certificate: Certificate | None) -> http.client.HTTPConnection:
    """To a service of our own: it shows the very certificate that we gave it."""
    if certificate is None:
        return http.client.HTTPConnection(LOOPBACK[0], port, timeout=HEALTH_S)
    context = ssl.create_default_context(cafile=str(certificate.cert))
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.check_hostname = False
    return http.client.HTTPSConnection(LOOPBACK[0], port, timeout=HEALTH_S, context=context)


def _none_bound(errors: Sequence[ServiceError]) -> ServiceError:
    if len(errors) == 1:
        return errors[0]
    places = ", ".join(error.fault.place for error in errors)
    return ServiceError(
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


def _ended(code: int) -> str:
    return f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"


def _later(member: Member, why: str, tell: Tell) -> None:
    """Have it started after a pause, which grows."""
    tell(f"{why}; again in {member.pause:g} s.")
    member.again_at = time.monotonic() + member.pause
    member.pause = min(2 * member.pause, LONGEST_PAUSE_S)


def _sweep(pid: int) -> None:
    """End what is left of a process: itself, and what it started, which is in its group."""
    if pid and sys.platform != "win32":
        with suppress(OSError):
            os.killpg(pid, signal.SIGKILL)
