"""The generator's stream: made as it is taken, and no faster."""

from __future__ import annotations

import itertools
import socket
import time
from dataclasses import replace

import httpx2
import numpy as np
import pytest

from builders.demo import growth
from builders.listening import listening
from steelyard.arrays import PAD
from steelyard.modules.registry import Kind, Module, ModuleParams
from steelyard.planning.findings import Findings
from steelyard.planning.guard import Guard
from steelyard.planning.proposals import generate
from steelyard.services.applications import application
from steelyard.services.carriage.carried import lines
from steelyard.services.carriage.carrier import Carrier
from steelyard.services.carriage.context import Task
from steelyard.services.carriage.messages import LineForm
from steelyard.services.carriage.sources import Source
from steelyard.services.house import House
from steelyard.services.security.tokens import own_token
from steelyard.services.topology import Topology

SMALL_BUFFER = 32 * 1024
SIZE, BLOCKS = 500, 150


class Params(ModuleParams):
    pass


@pytest.fixture
def counting(monkeypatch):
    """A task with one generator of distinct sequences, and how many blocks were asked of it."""
    world = growth(scope="proposals")
    asked = []

    def call(ctx, table, seeds, params):
        sets = itertools.combinations(range(table.m), 4)
        for number in range(BLOCKS):
            asked.append(number)
            rows = np.full((SIZE, ctx.search.max_depth), PAD)
            rows[:, :4] = list(itertools.islice(sets, SIZE))
            yield rows

    module = Module(Kind.SEQUENCE, "counting", "1.0.0", "Counts.", Params, call, form="sequences")
    strategy = world.strategy
    only = tuple(
        replace(choice, module=module, params=Params(), enabled=True)
        if choice.module.name == "combinatorial" else replace(choice, enabled=False)
        for choice in strategy.choices[Kind.SEQUENCE]
    )  # fmt: skip
    quiet = tuple(replace(c, enabled=False) for c in strategy.choices[Kind.PATTERN])
    strategy = replace(
        strategy, choices={**strategy.choices, Kind.SEQUENCE: only, Kind.PATTERN: quiet}
    )
    prepared = world.prepared
    return Task.of(prepared.ctx, strategy, Guard(), prepared.table), asked


def test_lines_are_made_when_they_are_asked_for(counting):
    task, asked = counting
    stream = lines(task, SIZE, lambda *_: None)
    first = next(stream)
    assert first.number == 0
    assert len(asked) <= 2
    next(stream)
    assert len(asked) <= 3
    stream.close()


def test_lines_say_all_that_generating_here_does(counting):
    task, _ = counting
    here = generate(task.ctx, task.whole, task.strategy, Guard(findings=Findings()), SIZE)
    batches = list(here.batches)
    there = [
        LineForm.model_validate_json(line.model_dump_json())
        for line in lines(task, SIZE, lambda *_: None)
    ]
    assert [line.number for line in there] == [*range(len(batches)), len(batches)]
    assert there[-1].end is not None


def test_a_slow_reader_slows_the_generator(tmp_path, counting, monkeypatch):
    task, asked = counting
    house = House({"STEELYARD_HOME": str(tmp_path)})
    app = application("generator", house)
    # the module is code of this process, which no other could load: the context is put by hand
    app.state.contexts._tasks["c" * 64] = (1, task)
    option = [(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)]
    with listening(app, send_buffer=SMALL_BUFFER) as served:
        topology = Topology().moved({"generator": (served.port,)})
        transport = httpx2.AsyncHTTPTransport(socket_options=option)
        carrier = Carrier(topology, lambda: own_token(house), transport)
        try:
            parcel = carrier.parcel(task)
            parcel = replace(parcel, sha256="c" * 64)
            carrier._sent[topology.generator.instances[0].url] = {"c" * 64: None}
            source = Source(carrier, parcel, SIZE, lambda failure: pytest.fail(str(failure)))
            for number in range(3):
                assert next(source).number == number
            time.sleep(0.5)
            waiting = len(asked)
            assert waiting < BLOCKS / 2, "the generator ran ahead of its reader"
            time.sleep(0.3)
            assert len(asked) == waiting
            assert sum(1 for _ in source) == len(asked) - 3
        finally:
            carrier.close()
