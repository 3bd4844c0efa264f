"""Which Host headers name a service."""

from __future__ import annotations

import pytest

from steelyard.services.security.hosts import Hosts, is_loopback


@pytest.mark.parametrize(
    ("host", "names"),
    [
        ("127.0.0.1:8011", True),
        ("localhost:8011", True),
        ("[::1]:8011", True),
        ("evil.example:8011", False),
        ("127.0.0.1:8010", False),
        ("127.0.0.1", False),
        ("localhost.:8011", False),
        ("localhost.evil.example:8011", False),
        ("127.0.0.1.nip.io:8011", False),
        ("127.1:8011", False),
        ("2130706433:8011", False),
        ("0.0.0.0:8011", False),
        ("::1:8011", False),
        ("user@127.0.0.1:8011", False),
        ("127.0.0.1:8011,evil.example", False),
        ("", False),
    ],
)
def test_names_of_loopback_at_the_port_and_none_besides(host, names):
    assert Hosts(8011).names(host, "http", 8011) is names


def test_the_port_is_where_the_connection_came_in_if_none_is_set():
    assert Hosts(0).names("127.0.0.1:40001", "http", 40001)
    assert not Hosts(0).names("127.0.0.1:40001", "http", 40002)


def test_the_usual_port_of_a_scheme_may_be_left_out():
    assert Hosts(443).names("localhost", "https", 443)
    assert not Hosts(443).names("localhost", "http", 443)


def test_further_names_are_at_the_port_of_the_service_or_at_their_own():
    hosts = Hosts(8011, ("Planner.Example", "proxy.example:8443", "fd00::7"))

    names = ("planner.example:8011", "proxy.example:8443", "[fd00::7]:8011", "localhost:8011")
    assert [hosts.names(name, "https", 8011) for name in names] == [True] * 4
    assert not hosts.names("proxy.example:8011", "https", 8011)
    assert not hosts.names("planner.example", "https", 8011)


def test_loopback_is_all_of_it_and_nothing_that_only_looks_like_it():
    inside = ("127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1")
    outside = ("10.0.0.1", "::ffff:10.0.0.1", "localhost", "", "testclient", "127.0.0.1, 10.0.0.1")

    assert [each for each in inside if not is_loopback(each)] == []
    assert [each for each in outside if is_loopback(each)] == []
