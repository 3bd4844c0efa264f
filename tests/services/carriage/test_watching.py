"""Instances are asked how they are: who is down gets no work, who is well again does."""

from __future__ import annotations

import time

import pytest

from builders.carrying import Fault, carrying
from steelyard.services.carriage.watching import watch
from steelyard.services.topology import Topology

OFTEN = 0.05


def until(condition) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def circuits(caplog, instance) -> list[str]:
    """What the log says of an instance's circuit."""
    rows = [row for row in caplog.records if row.name == "steelyard.circuits"]
    return [row.state for row in rows if row.instance == instance.url]


@pytest.mark.parametrize("fault", [Fault.DEAD, Fault.BROKEN, Fault.BUSY])
def test_who_is_down_gets_no_work_until_it_is_well_again(tmp_path, fault, caplog):
    usual = Topology()
    quick = {
        name: usual.service(name).model_copy(update={"health_interval_seconds": OFTEN})
        for name in ("opportunity", "generator", "evaluator")
    }
    with carrying(tmp_path, topology=usual.model_copy(update=quick)) as services:
        carrier, ill = services.carrier, services.instance("evaluator", 1)
        watching = carrier.loop.begin(watch(carrier.calls))
        try:
            services.fail("evaluator", 1, fault)
            until(lambda: ill not in carrier.in_turn("evaluator"))
            assert len(carrier.in_turn("evaluator")) == 2
            services.transport.rules.clear()
            until(lambda: ill in carrier.in_turn("evaluator"))
            until(lambda: circuits(caplog, ill) == ["open", "closed"])
        finally:
            watching.cancel()
