"""From where a service may be asked, and what has to be there before."""

from __future__ import annotations

from pathlib import Path

import pytest

from steelyard.errors import ServiceError, SettingsError
from steelyard.services.running.certificates import certificate_of, trusting
from steelyard.services.running.reach import LOCAL, Reach, exposed, own_names, usual
from steelyard.services.topology import Topology

TLS = Path(__file__).parent / "tls"
NAMES = ("0f3c", "172.30.77.5", "127.0.0.1", "fe80::1")


def reach_of(home: Path, network: str | None, token: str = "") -> Reach:
    variables = {"STEELYARD_HOME": str(home), "STEELYARD_TOKEN": token}
    topology = Topology(trusted_network=network, allow_hosts=("evaluator-1", "evaluator-2"))
    return usual(topology, variables, NAMES)


def test_without_more_it_is_this_machine_alone(tmp_path: Path):
    assert reach_of(tmp_path, None) == LOCAL
    assert LOCAL.addresses == ("127.0.0.1", "::1")
    assert LOCAL.names == ()


def test_in_a_trusted_network_it_listens_at_its_address_there_and_nowhere_else(tmp_path: Path):
    reach = reach_of(tmp_path, "172.30.77.0/24", "t" * 40)

    assert reach.addresses == ("127.0.0.1", "::1", "172.30.77.5")
    assert reach.names == ("evaluator-1", "evaluator-2", "172.30.77.5")
    assert reach.certificate is None


def test_a_trusted_network_needs_a_token_that_was_made_before(tmp_path: Path):
    with pytest.raises(SettingsError, match="needs a token that all its services share"):
        reach_of(tmp_path, "172.30.77.0/24")
    assert list(tmp_path.iterdir()) == []

    (tmp_path / "token").write_text("t" * 40)
    assert reach_of(tmp_path, "172.30.77.0/24").addresses[-1] == "172.30.77.5"


def test_a_machine_that_is_not_in_the_trusted_network_does_not_listen(tmp_path: Path):
    with pytest.raises(ServiceError, match=r"no address in 172\.30\.78\.0/24"):
        reach_of(tmp_path, "172.30.78.0/24", "t" * 40)


def test_exposed_it_listens_everywhere_under_names_as_a_host_header_has_them():
    certificate = certificate_of(TLS / "cert.pem", TLS / "key.pem")

    reach = exposed(certificate, ("box", "10.0.0.7", "fd00::7", "box"))

    assert reach.addresses == ("0.0.0.0", "::")
    assert reach.names == ("box", "10.0.0.7", "[fd00::7]")
    assert own_names()[0] == own_names()[0].lower() != ""


@pytest.mark.parametrize("text", ["", "no key", "-----BEGIN PRIVATE KEY-----\nAA==\n"])
def test_files_that_are_no_certificate_and_its_key_are_refused(tmp_path: Path, text: str):
    (tmp_path / "key.pem").write_text(text)

    for cert, key in (
        (TLS / "cert.pem", tmp_path / "key.pem"),
        (tmp_path / "key.pem", TLS / "key.pem"),
        (TLS / "cert.pem", tmp_path / "none.pem"),
    ):
        with pytest.raises(SettingsError, match="not usable as certificate and key"):
            certificate_of(cert, key)


def test_a_file_without_certificates_is_no_authority(tmp_path: Path):
    (tmp_path / "ca.pem").write_text("nobody")

    for name in ("ca.pem", "none.pem"):
        with pytest.raises(SettingsError, match="has no certificates in PEM"):
            trusting(tmp_path / name)
