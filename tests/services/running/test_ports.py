"""Ports of the instances of this machine: the file's, moved together, or as many as asked."""

from __future__ import annotations

import pytest

from steelyard.errors import SettingsError
from steelyard.services.running.ports import EVALUATOR, port_of_one, ports_of
from steelyard.services.topology import Instance, Service, Topology

USUAL = Topology()
ELSEWHERE = Service(instances=(Instance(host="10.0.0.7", port=9000, tls=True),), timeout_seconds=1)


def test_a_base_moves_all_and_keeps_their_distances():
    assert ports_of(USUAL, 18_008) == {
        "opportunity": (18_008,),
        "generator": (18_009,),
        "evaluator": (18_010, 18_020, 18_030),
        "coordinator": (18_011,),
    }
    assert ports_of(USUAL, 8008) == ports_of(USUAL)


@pytest.mark.parametrize(
    ("count", "ports"), [(1, (8010,)), (3, (8010, 8020, 8030)), (4, (8010, 8020, 8030, 8040))]
)
def test_evaluators_are_as_many_as_asked(count: int, ports: tuple[int, ...]):
    assert ports_of(USUAL, evaluators=count)["evaluator"] == ports


def test_base_zero_lets_each_have_a_free_one():
    ports = ports_of(USUAL, 0, 2)

    assert ports == {"opportunity": (0,), "generator": (0,), "evaluator": (0, 0),
                     "coordinator": (0,)}  # fmt: skip


def test_what_is_on_another_machine_is_not_started_here():
    topology = USUAL.model_copy(update={"opportunity": ELSEWHERE, "evaluator": ELSEWHERE})

    assert ports_of(topology)["opportunity"] == ports_of(topology)["evaluator"] == ()
    assert ports_of(topology, 9009)["coordinator"] == (9011,)
    assert ports_of(topology, evaluators=2)["evaluator"] == (8010, 8020)


def test_a_port_over_the_last_is_refused_with_the_highest_base():
    with pytest.raises(SettingsError, match=r"65,537; .* at most 65,513"):
        ports_of(USUAL, 65_515)
    assert ports_of(USUAL, 65_513)["evaluator"][-1] == 65_535


def test_one_service_listens_where_the_file_says_and_an_evaluator_where_the_variable_does():
    assert port_of_one("api", USUAL, {}) == port_of_one("coordinator", USUAL, {}) == 8011
    assert port_of_one("evaluator", USUAL, {}) == 8010
    assert port_of_one("evaluator", USUAL, {EVALUATOR: "8020"}) == 8020
    assert port_of_one("generator", USUAL, {EVALUATOR: "8020"}) == 8009
    far = USUAL.model_copy(update={"generator": ELSEWHERE})
    assert port_of_one("generator", far, {}) == 9000


@pytest.mark.parametrize("text", ["0", "65536", "-1", "8e3", "8_010", "eight", "٨٠١٠", "9" * 5000])
def test_a_variable_that_is_no_port_is_refused(text: str):
    with pytest.raises(SettingsError, match="EVALUATOR_PORT is"):
        port_of_one("evaluator", USUAL, {EVALUATOR: text})
