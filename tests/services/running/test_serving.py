"""The topology as processes: each healthy, each replaced when it dies, nobody left over."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest

from builders.serving import serving
from steelyard.errors import ServiceError
from steelyard.services.running import serving as serving_module
from steelyard.services.running.certificates import Certificate, trusting
from steelyard.services.running.nursery import THREADS
from steelyard.services.running.reach import exposed
from steelyard.services.running.serving import Household, health
from steelyard.services.topology import Topology

TLS = Path(__file__).parent / "tls"
PATIENCE_S = 20.0


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "STEELYARD_HOME": str(home)}


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_every_instance_is_a_process_of_its_own_and_well(tmp_path: Path):
    with serving(tmp_path, evaluators=2) as served:
        members = served.household.members
        answers = [
            served.ask("GET", f"http://127.0.0.1:{each.port}/{each.name}/health").json()["status"]
            for each in members
        ]
        evaluators = served.topology.evaluator.instances

    assert [each.name for each in members] == [
        "opportunity", "generator", "evaluator", "evaluator", "coordinator",
    ]  # fmt: skip
    assert answers == ["OK"] * 5
    assert [each.port for each in evaluators] == [each.port for each in members[2:4]]
    assert len({each.pid for each in members}) == 5
    assert not any(runs(each.pid) for each in members)


def test_a_service_has_no_keys_of_a_broker_and_one_thread_of_linear_algebra(tmp_path: Path):
    own = {**environment(tmp_path), "APCA_API_SECRET_KEY": "canary-7f3a"}
    with Household({"evaluator": [0]}, Topology(), own) as household:
        # as the process was started, and as it is: the second is what it was given over a pipe
        path = Path(f"/proc/{household.member('evaluator').pid}/environ")
        started = path.read_bytes().split(b"\0")

    assert not any(entry.startswith(b"APCA_") for entry in started)
    assert {f"{name}=1".encode() for name in THREADS} <= set(started)


def test_a_port_in_use_is_named_and_nothing_is_left_running(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as first, socket.create_server(("::1", 0),
            family=socket.AF_INET6) as second:  # fmt: skip
        ports = [each.getsockname()[1] for each in (first, second)]
        household = Household({"evaluator": ports}, Topology(), environment(tmp_path))
        with pytest.raises(ServiceError) as error, household:
            pass
        alone = Household({"evaluator": ports[:1]}, Topology(), environment(tmp_path))
        with pytest.raises(ServiceError, match=f"Port {ports[0]} is in use at 127"):
            alone.__enter__()

    assert [fault.place for fault in error.value.faults] == [
        f"127.0.0.1:{ports[0]}", f"[::1]:{ports[1]}",
    ]  # fmt: skip
    assert household.members == alone.members == []


def test_a_service_that_does_not_start_ends_the_others_too(tmp_path: Path, capfd):
    (tmp_path / "key.pem").write_text("no key")
    useless = Certificate(TLS / "cert.pem", tmp_path / "key.pem")
    household = Household(
        {"generator": [0], "coordinator": [0]}, Topology(), environment(tmp_path),
        exposed(useless, ()),
    )  # fmt: skip

    with pytest.raises(
        ServiceError, match=r"coordinator at .* ended with exit code 1\. Nothing is"
    ):
        household.__enter__()

    assert len(household.members) == 2
    assert not any(runs(each.pid) for each in household.members)


def test_a_service_that_answers_that_it_is_down_ends_the_start_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(serving_module, "DOWN_S", 0.5)
    (tmp_path / "steelyard.db").write_text("no database" * 100)
    household = Household({"coordinator": [0]}, Topology(), environment(tmp_path))

    with pytest.raises(ServiceError, match=r"coordinator at .* is not well\. Nothing is served"):
        household.__enter__()


def test_exposed_it_answers_over_tls_at_every_address_and_not_without(tmp_path: Path):
    reach = exposed(Certificate(TLS / "cert.pem", TLS / "key.pem"), ["steelyard.lan", "fd00::1"])
    own = environment(tmp_path)
    with Household({"coordinator": [0]}, Topology(), own, reach) as household:
        port = household.member("coordinator").port
        trust = trusting(TLS / "cert.pem")
        with httpx2.Client(verify=trust, base_url=f"https://127.0.0.1:{port}") as client:
            statuses = [
                client.get("/coordinator/health", headers={"Host": f"{host}:{port}"}).status_code
                for host in ("steelyard.lan", "[fd00::1]", "localhost", "evil.example")
            ]
        for scheme in ("http", "https"):  # without TLS, and without trust in its certificate
            with pytest.raises(httpx2.TransportError):
                httpx2.get(f"{scheme}://127.0.0.1:{port}/coordinator/health")

    assert statuses == [200, 200, 200, 421]


def test_a_port_that_somebody_took_meanwhile_is_waited_for_longer_each_time(tmp_path: Path):
    said: list[str] = []
    with Household({"evaluator": [0]}, Topology(), environment(tmp_path)) as household:
        member = household.member("evaluator")
        before = member.pid
        os.kill(before, signal.SIGKILL)
        member.process.join()
        with socket.create_server(("127.0.0.1", member.port)):
            for _ in range(3):
                household._look_after(member, said.append)
                member.again_at = 0.0
        household._look_after(member, said.append)
        healthy = _comes(lambda: health("evaluator", member.port) == 200)

    where = f"127.0.0.1:{member.port}"
    assert said == [
        f"evaluator at {where} (pid {before}) was ended by signal 9; again in 0.5 s.",
        f"{where} is not free for evaluator; again in 1 s.",
        f"{where} is not free for evaluator; again in 2 s.",
        f"evaluator at {where} is started again, pid {member.pid}.",
    ]
    assert healthy


WATCHED = """
import os, sys
from steelyard.services.running.serving import Household, health
from steelyard.services.topology import Topology
with Household({"generator": [0], "evaluator": [0]}, Topology(), dict(os.environ)) as household:
    print(*[f"{each.pid}:{each.port}" for each in household.members], flush=True)
    household.watch(lambda text: print(text, flush=True))
"""


def test_what_dies_is_started_again_and_nobody_is_left_over_without_the_one_that_watches(
    tmp_path: Path,
):
    with subprocess.Popen(
        [sys.executable, "-c", WATCHED],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(tmp_path),
    ) as process:
        assert process.stdout is not None
        (generator, _), (pid, port) = [
            tuple(map(int, each.split(":"))) for each in process.stdout.readline().split()
        ]
        os.kill(pid, signal.SIGKILL)
        said = process.stdout.readline(), process.stdout.readline()
        again = int(said[1].rstrip(".\n").rpartition(" ")[2])
        healthy = _comes(lambda: health("evaluator", port) == 200)
        os.kill(process.pid, signal.SIGKILL)
        gone = _comes(lambda: not any(map(runs, (generator, again))))

    assert said == (
        f"evaluator at 127.0.0.1:{port} (pid {pid}) was ended by signal 9; again in 0.5 s.\n",
        f"evaluator at 127.0.0.1:{port} is started again, pid {again}.\n",
    )
    assert healthy
    assert gone


def _comes(true: Callable[[], bool]) -> bool:
    """Does it come true in time?"""
    end = time.monotonic() + PATIENCE_S
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
