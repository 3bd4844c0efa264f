"""Files that say who listens where: ours, the documents', and those that are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from steelyard.errors import SettingsError
from steelyard.services.reading.file import CONFIG, FILE, TIMEOUT, read, read_topology
from steelyard.services.topology import Instance, Topology

DOCUMENTS = """
deployment: {mode: distributed}
tls: {enabled: true, mutual: false, certs: {ca: ca.pem}}
services:
  opportunity:
    mode: local
    device_id: primary
    port: 9008
    health_endpoint: /opportunity/health
    client: {timeout_seconds: 12, max_retries: 3, retry_backoff_ms: 1000}
    health_check: {enabled: true, interval_seconds: 20, timeout_seconds: 5}
  evaluator:
    load_balancing: round_robin
    instances:
      - {device_id: primary, port: 8010, health_endpoint: /evaluator/health}
      - {device_id: second, port: 8020}
devices:
  primary: {address: 127.0.0.1}
  second: {address: 10.0.0.7}
allow_hosts: [10.0.0.7]
"""


def written(folder: Path, text: str, name: str = FILE) -> dict[str, str]:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return {"STEELYARD_HOME": str(folder), CONFIG: str(path)}


def problems(folder: Path, text: str, name: str = FILE) -> str:
    with pytest.raises(SettingsError) as error:
        read_topology(written(folder, text, name))
    assert str(error.value).rstrip().endswith("Nothing was started.")
    return str(error.value).replace(str(folder), "")


def test_without_a_file_everything_is_here_at_the_ports_of_the_documents(tmp_path: Path):
    topology = read_topology({"STEELYARD_HOME": str(tmp_path)})

    assert topology == Topology()
    assert topology.plugin_folders(tmp_path) == (tmp_path / "plugins",)
    assert [topology.here(name) for name in ("opportunity", "evaluator")] == [
        (8008,), (8010, 8020, 8030),
    ]  # fmt: skip


def test_a_file_in_the_home_is_read_and_its_folders_lie_beside_it(tmp_path: Path):
    text = """
        [services]
        batch_size = 700
        plugins = ["more", "/opt/modules"]
        allow_hosts = ["eval.lan"]
        [services.evaluator]
        instances = [{port = 8010}, {host = "eval.lan", port = 443, tls = true}]
        timeout_seconds = 90
        [services.tls]
        ca = "ca.pem"
        [telemetry]
        endpoint = "http://127.0.0.1:4318"
    """
    written(tmp_path, text)

    topology = read_topology({"STEELYARD_HOME": str(tmp_path)})

    assert topology.batch_size == 700
    assert topology.telemetry.endpoint == "http://127.0.0.1:4318"
    assert topology.plugins == (tmp_path / "more", Path("/opt/modules"))
    assert topology.tls.ca == tmp_path / "ca.pem"
    assert [each.url for each in topology.evaluator.instances] == [
        "http://127.0.0.1:8010", "https://eval.lan:443",
    ]  # fmt: skip
    assert topology.here("evaluator") == (8010,)
    assert topology.moved({"evaluator": [1, 2]}).evaluator.instances[2].host == "eval.lan"


def test_the_documents_file_says_the_same_in_its_own_words(tmp_path: Path):
    reading = read(written(tmp_path, DOCUMENTS, "services.yaml"))
    topology = reading.topology

    assert topology.opportunity.instances == (Instance(port=9008),)
    assert topology.opportunity.timeout_seconds == 12
    assert topology.opportunity.health_interval_seconds == 20
    assert topology.evaluator.instances == (
        Instance(port=8010), Instance(host="10.0.0.7", port=8020, tls=True),
    )  # fmt: skip
    assert topology.generator == Topology().generator
    assert topology.tls.ca == tmp_path / "ca.pem"
    assert reading.ignored == (
        "services.opportunity.client.max_retries",
        "services.opportunity.client.retry_backoff_ms",
        "services.opportunity.health_check.enabled",
        "services.opportunity.health_check.timeout_seconds",
    )


def test_the_variable_of_the_documents_sets_how_long_a_plan_may_take(tmp_path: Path):
    variables = {"STEELYARD_HOME": str(tmp_path), TIMEOUT: "45.5"}

    assert read_topology(variables).coordinator.timeout_seconds == 45.5
    for text in ("0", "-1", "nan", "inf", "1e9", "soon"):
        with pytest.raises(SettingsError, match="COORDINATOR_TIMEOUT"):
            read_topology({**variables, TIMEOUT: text})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[services]\nbatch_sise = 5", "/services.toml line 2: services.batch_sise is not a known"),
        ("[services]\nbatch_sise = 5", "Did you mean batch_size?"),
        ("[servces]", "line 1: servces is not a known key. Did you mean services?"),
        ("[services.evaluator]\ntimeout_seconds = 0",
         "line 2: services.evaluator.timeout_seconds is 0; it must be a number above 0"),
        ("[services.generator]\ninstances = []", "services.generator.instances is []"),
        ("[services.generator]\ninstances = [{port = '80'}]",
         "instances[0].port is '80'; it must be a whole number from 1 to 65,535"),
        ("[services.generator]\ninstances = [{port = 8008}]",
         "port 8008 is that of services.opportunity.instances[0] too"),
        ("[services]\nbatch_seconds = nan", "services.batch_seconds is nan"),
        ("[services", "line 1"),
        ("services = 3", "services is 3; it must be a table"),
        ("[telemetry]\nendpont = ''", "line 2: telemetry.endpont is not a known key. Did you mean"),
        ("[services]\ntrusted_network = '8.8.8.0/24'", "must be a private network"),
        ("[services]\ntrusted_network = '10.0.0.0/8'", "must be a private network"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_file_is_said_with_its_line(tmp_path: Path, text: str, words: str):
    assert words in problems(tmp_path, text)


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path):
    text = "[services]\nopen_seconds = -1\nfallback = 'maybe'\n"

    said = problems(tmp_path, text)

    assert "line 2: services.open_seconds" in said
    assert "line 3: services.fallback is 'maybe'; it must be one of 'local', 'none'" in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("services: {evalator: {port: 1}}", "Did you mean evaluator?"),
        ("services:\n  generator: {port: 1, device_id: gone}",
         "line 2: services.generator.device_id names gone, which [devices] does not have"),
        ("devices: {a: {address: 127.0.0.1}}\nservices:\n evaluator:\n  instances: [device_id: a]",
         "line 4: services.evaluator.instances[0] needs a port"),
        ("services:\n  generator: {health_endpoint: /up}", "must be '/generator/health'"),
        ("tls: {mutual: true}", "tls.mutual is true; it must be False"),
        ("a: &x 1\nb: *x", "anchor"),
        ("a: !!python/object:os.system x", "tag"),
        ("services: {}\nservices: {}", "line 2 has a key that is there twice"),
        ("1: 2", "no text"),
        ("- 1", "is not a table"),
        ("a: [", "is not valid YAML"),
        ("a: " + "[" * 60 + "]" * 60, "nested more than 32 deep"),
        ("a: [" + "1," * 5000 + "1]", "more than 4,000 values"),
        ("a: " + "x" * 70_000, "at most 65,536 are read"),
    ],
)  # fmt: skip
def test_a_yaml_that_is_not_the_documents_is_refused(tmp_path: Path, text: str, words: str):
    assert words in problems(tmp_path, text, "services.yaml")


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254", "[::1]", "fe80::1", "fe80::1%eth0", "0.0.0.0", "0.1.2.3", "::",
        "224.0.0.1", "255.255.255.255", "::ffff:169.254.169.254", "2130706433", "127.1",
        "0x7f.0.0.1", "0177.0.0.1", "http://x", "x@y", "x/y", "x:1", "-x", "a..b", "EVAL", "x y",
        "é", "x\n", "a_b", ".",
    ],
)  # fmt: skip
def test_no_list_makes_an_address_of_a_link_or_one_in_disguise_usable(tmp_path: Path, host: str):
    quoted = host.replace("\n", "\\n")
    text = f"""
        [services]
        allow_hosts = ["{quoted}"]
        [services.generator]
        instances = [{{host = "{quoted}", port = 80, tls = true}}]
    """
    assert "services.generator.instances[0]" in problems(tmp_path, text)


def test_another_machine_has_to_be_listed_and_asked_over_tls(tmp_path: Path):
    instances = 'instances = [{host = "10.0.0.7", port = 8009%s}]'
    bare = "[services.generator]\n" + instances % ""
    listed = '[services]\nallow_hosts = ["10.0.0.7"]\n' + bare

    assert 'list it: allow_hosts = ["10.0.0.7"]' in problems(tmp_path, bare)
    assert "the token would travel in the open" in problems(tmp_path, listed)
    trusted = listed.replace("[services]", "[services]\ntrusted_network = '10.0.0.0/24'", 1)
    assert read_topology(written(tmp_path, trusted)).generator.instances[0].host == "10.0.0.7"
    outside = trusted.replace("10.0.0.0/24", "10.0.1.0/24")
    assert "the token would travel in the open" in problems(tmp_path, outside)


def test_a_file_that_is_named_and_not_there_is_said(tmp_path: Path):
    with pytest.raises(SettingsError, match=r"The services file .*nowhere.toml could not be read"):
        read_topology({CONFIG: str(tmp_path / "nowhere.toml"), "STEELYARD_HOME": str(tmp_path)})
