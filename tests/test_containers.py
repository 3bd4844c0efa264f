"""Dockerfile and docker-compose.yml: six services on this machine alone, and no secret in them."""

from __future__ import annotations

import re
import shlex
from fnmatch import fnmatch
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml

from builders.paths import ROOT
from steelyard.services.reading.file import CONFIG, read_topology
from steelyard.services.running.ports import port_of_one
from steelyard.services.running.reach import usual
from steelyard.services.topology import NAMES, Topology

PORTS = {
    "opportunity": 8008, "generator": 8009, "evaluator-1": 8010, "evaluator-2": 8020,
    "evaluator-3": 8030, "coordinator": 8011,
}  # fmt: skip
CONFIG_FOLDER = "./deploy/config:/etc/steelyard:ro"
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(TEXT)
    return document


@pytest.fixture(scope="module")
def topology() -> Topology:
    return read_topology({CONFIG: str(ROOT / "deploy" / "config" / "services.toml")})


def instructions() -> list[tuple[str, str]]:
    """What the Dockerfile does: each word with the rest of its line, which may go on."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = re.sub(r"\\\n", " ", text).splitlines()
    return [(line.split()[0], line.partition(" ")[2]) for line in lines if line and line[0] != "#"]


def test_there_are_exactly_the_six_services_each_of_which_is_what_its_name_says(compose):
    services = compose["services"]

    assert list(services) == list(PORTS)
    assert {name: each["command"] for name, each in services.items()} == {
        name: [name.partition("-")[0]] for name in PORTS
    }
    assert {each["image"] for each in services.values()} == {"steelyard"}


def test_each_is_reached_from_this_machine_alone_at_the_documents_port(compose, topology):
    for name, each in compose["services"].items():
        assert each["ports"] == [f"127.0.0.1:{PORTS[name]}:{PORTS[name]}"], name
        kind, variables = name.partition("-")[0], each["environment"]
        asked = port_of_one(kind, Topology() if kind == "evaluator" else topology, variables)
        assert asked == PORTS[name], name
        assert "network_mode" not in each


def test_the_file_that_all_share_names_the_same_services_at_the_same_ports(compose, topology):
    instances = [each for name in NAMES for each in topology.service(name).instances]

    assert {each.host: each.port for each in instances} == PORTS
    for name, each in compose["services"].items():
        assert CONFIG_FOLDER in each["volumes"], name
        assert each["environment"][CONFIG] == "/etc/steelyard/services.toml", name
    assert compose["services"]["coordinator"]["environment"]["COORDINATOR_TIMEOUT"] == "300"


def test_they_listen_without_tls_in_their_own_network_alone_and_only_with_a_token(
    compose, topology, tmp_path: Path
):
    [network] = compose["networks"].values()
    subnet = ip_network(network["ipam"]["config"][0]["subnet"])
    (tmp_path / "token").write_text("t" * 44)
    address = str(subnet[5])

    assert topology.trusted_network == str(subnet)
    reach = usual(topology, {"STEELYARD_HOME": str(tmp_path)}, ("0f3c", address, "10.1.2.3"))
    assert reach.addresses == ("127.0.0.1", "::1", address)
    assert reach.names == (*PORTS, address)
    for each in compose["services"].values():
        assert each["networks"] == list(compose["networks"])
        assert each["secrets"] == [{"source": "token", "target": "/var/lib/steelyard/token"}]


def test_each_is_asked_how_it_is_and_the_coordinator_waits_for_the_others(compose):
    for name, each in compose["services"].items():
        *python, code = each["healthcheck"]["test"]
        kind = name.partition("-")[0]
        assert python == ["CMD", "python", "-c"], name
        assert f'urlopen("http://127.0.0.1:{PORTS[name]}/{kind}/health", timeout=4)' in code, name
        compile(code, name, "exec")
    waited = compose["services"]["coordinator"]["depends_on"]
    assert waited == {
        name: {"condition": "service_healthy"} for name in PORTS if name != "coordinator"
    }


def test_no_container_may_do_more_than_it_needs_and_none_has_a_secret_in_its_file(compose):
    for name, each in compose["services"].items():
        assert each["user"] == "${STEELYARD_UID:-1000}:${STEELYARD_GID:-1000}", name
        assert each["cap_drop"] == ["ALL"], name
        assert each["security_opt"] == ["no-new-privileges:true"], name
        assert each["read_only"] is True, name
        assert each["environment"].keys() <= {CONFIG, "EVALUATOR_PORT", "COORDINATOR_TIMEOUT"}
    assert compose["secrets"]["token"].keys() == {"file"}
    assert compose["secrets"]["token"]["file"].startswith("${STEELYARD_TOKEN_FILE:?")
    assert "APCA" not in TEXT
    assert [path.name for path in (ROOT / "deploy" / "config").iterdir()] == ["services.toml"]


def test_the_image_is_built_from_a_lock_and_runs_as_nobody_in_particular():
    steps = instructions()
    installs = [text for word, text in steps if word == "RUN" and "install" in text]
    users = [text for word, text in steps if word == "USER"]

    assert any("./install /opt/steelyard requirements-server.lock" in text for text in installs)
    assert all("--no-deps" in text for text in installs if "pip install" in text)
    assert users == ["1000:1000"]
    assert steps[-2:] == [("ENTRYPOINT", '["steelyard", "serve"]'), ("CMD", '["all"]')]
    assert [text.split()[0] for word, text in steps if word == "FROM"] == ["python:3.13-slim"] * 2
    assert not [word for word, _ in steps if word in {"ADD", "EXPOSE", "ARG"}]


def test_an_image_gets_the_files_that_it_needs_and_no_other():
    allowed = [
        line[1:]
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    ]
    copied = [
        source
        for word, text in instructions()
        if word == "COPY" and not text.startswith("--from")
        for source in shlex.split(text)[:-1]
    ]

    assert sorted(copied) == sorted(allowed)
    assert [source for source in copied if not (ROOT / source).exists()] == []
    assert not any(fnmatch("token", pattern) for pattern in allowed)


def test_the_lock_of_the_image_has_all_of_the_run_time_lock_and_what_serves():
    def pins(name: str) -> set[str]:
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        return {line.split()[0] for line in lines if "==" in line and line[0] != "#"}

    server = pins("requirements-server.lock")

    assert pins("requirements.lock") < server
    assert {"fastapi", "uvicorn", "httpx2", "structlog", "opentelemetry-sdk"} <= {
        pin.partition("==")[0] for pin in server
    }
