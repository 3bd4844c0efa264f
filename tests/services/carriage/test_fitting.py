"""A context that lies about its own sizes is refused where it arrives, and costs no time."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import fields, replace
from typing import get_type_hints

import numpy as np
import pytest
from fastapi.testclient import TestClient

from builders.demo import growth
from steelyard.planning.guard import Guard
from steelyard.services.applications import application
from steelyard.services.carriage.context import Task, build_sha256, packed
from steelyard.services.carriage.fitting import SHAPES
from steelyard.services.carriage.messages import StrategyForm
from steelyard.services.carriage.records import ArrayForm
from steelyard.services.house import House
from steelyard.services.security.tokens import own_token

WORLD = growth(scope="candidates")
CTX, TABLE = WORLD.prepared.ctx, WORLD.prepared.table
SECONDS = 0.5
"""Within which any of it is refused, on a machine that others use too."""


@pytest.fixture(scope="module")
def evaluator(tmp_path_factory):
    house = House({"STEELYARD_HOME": str(tmp_path_factory.mktemp("home"))}, port=8010)
    app = application("evaluator", house)
    with TestClient(app, "http://127.0.0.1:8010", raise_server_exceptions=False) as client:
        client.headers["Authorization"] = f"Bearer {own_token(house)}"
        client.headers["Content-Type"] = "application/json"
        yield client


def put(client, body):
    return client.put(f"/evaluator/contexts/{hashlib.sha256(body).hexdigest()}", content=body)


def body_of(ctx=CTX, table=TABLE):
    return packed(Task.of(ctx, WORLD.strategy, Guard(), table))


def refused(client, body):
    start = time.perf_counter()
    answer = put(client, body)
    assert (answer.status_code, time.perf_counter() - start < SECONDS) == (422, True), answer.text
    return answer.json()["errors"][0]


def numbers(value, at=""):
    """Every array of a record and of the records in it, with its place."""
    for field in fields(value):
        part, where = getattr(value, field.name), f"{at}.{field.name}"
        if isinstance(part, np.ndarray):
            yield where.removeprefix("."), part
        elif type(part) in SHAPES:
            yield from numbers(part, where)


def without_one(record, place):
    """A record whose array of that place is one entry short."""
    name, _, rest = place.partition(".")
    part = getattr(record, name)
    return replace(record, **{name: without_one(part, rest) if rest else part[:-1]})


def test_an_array_that_is_one_short_is_refused_with_its_place_whichever_it_is(evaluator):
    places = [place for place, array in numbers(CTX) if array.size]
    assert len(places) > 20
    for place in places:
        fault = refused(evaluator, body_of(ctx=without_one(CTX, place)))
        assert (fault["code"], fault["place"].removeprefix("context.")) == ("context_unfit", place)
    places = [place for place, array in numbers(TABLE) if array.size]
    assert len(places) > 10
    for place in places:
        fault = refused(evaluator, body_of(table=without_one(TABLE, place)))
        assert fault["code"] == "context_unfit"


@pytest.mark.parametrize("kind", SHAPES)
def test_every_array_of_a_record_has_a_shape(kind):
    arrays = {name for name, hint in get_type_hints(kind).items() if "ndarray" in str(hint)} - {
        "predicates"  # made anew where they arrive
    }
    assert arrays <= SHAPES[kind].keys()


@pytest.mark.parametrize(
    "change",
    [
        {"security": np.full(TABLE.m, CTX.n)},
        {"pool": (TABLE.m,)},
        {"draws": {"rebalance_buys": (-2,)}},
        {"delta": np.full(TABLE.m, np.nan)},
    ],
)
def test_indices_beyond_the_table_and_numbers_that_are_none_are_refused(evaluator, change):
    assert refused(evaluator, body_of(table=replace(TABLE, **change)))["code"] == "context_unfit"


def test_what_is_tradable_has_a_price(evaluator):
    ctx = replace(CTX, fx=np.full(CTX.n, np.nan))
    assert refused(evaluator, body_of(ctx))["place"] == "context.fx"


@pytest.mark.parametrize("text", ["1e999999999", "1e-999999999", "NaN", "Infinity"])
def test_a_decimal_that_no_memory_holds_or_that_is_no_number_is_refused(evaluator, text):
    body = json.loads(body_of())
    body["table"]["fields"]["quantity"][0] = text
    assert refused(evaluator, json.dumps(body).encode())["code"] == "record_unusable"


@pytest.mark.parametrize(
    "slip",
    [
        lambda form: form["sections"]["score"].update(profile="reckless"),
        lambda form: form["sections"].pop("limits"),
        lambda form: form["sections"].pop("plugins"),
        lambda form: form["choices"].pop("filters"),
    ],
)
def test_a_strategy_that_is_none_is_refused(evaluator, slip):
    form = json.loads(body_of())
    slip(form["strategy"])
    form["build"] = build_sha256(StrategyForm.model_validate(form["strategy"]))
    assert refused(evaluator, json.dumps(form).encode())["code"] == "context_strategy"


@pytest.mark.parametrize("net", [[np.nan, 1.0], [np.inf, 1.0], [1.0], [[1.0], [1.0]]])
def test_a_proof_starts_from_numbers_one_for_each_proposal(evaluator, net):
    sha256 = put(evaluator, body_of()).json()["context"]
    rows = np.full((2, CTX.search.max_depth), -1, dtype=np.int32)
    asked = {
        "context": sha256,
        "rows": ArrayForm.of(rows).model_dump(),
        "net": ArrayForm.of(np.array(net)).model_dump(),
        "seen": 2,
    }
    answer = evaluator.post("/evaluator/prove", json=asked)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "nets_unusable")
