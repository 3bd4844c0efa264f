"""The documents' names of services: clients over HTTP, and the same in one's own process."""

import asyncio
import json
import subprocess
import sys
from collections import Counter

import httpx2
import pytest

from builders.requests import OPPORTUNITIES, evaluating, generating, order, planning
from steelyard.errors import InputError, ServiceError
from steelyard.services.carriage.calls import Refused
from steelyard.services.documents.asked import create, evaluate, generate
from steelyard.services.documents.clients import client_of
from steelyard.services.names import (
    LocalCoordinatorService,
    LocalEvaluatorService,
    LocalGeneratorService,
    get_service_locator,
)
from steelyard.services.topology import NAMES, Instance, Service, Topology

EVALUATED = evaluating([order("BUY", "CCC", 20)], [order("BUY", "CCC", 25)])
THREE = (8010, 8020, 8030)


def by_requests(answer):
    """A transport that answers as a function of the request says, and what it was asked."""
    seen = []

    def handle(request):
        seen.append(request)
        return answer(request)

    return httpx2.MockTransport(handle), seen


def test_every_service_of_the_documents_has_a_client_with_its_addresses(tmp_path):
    locator = get_service_locator({"STEELYARD_HOME": str(tmp_path), "STEELYARD_TOKEN": "t" * 32})

    async def ports():
        clients = [locator.create_http_client(name) for name in NAMES]
        for client in clients:
            await client.aclose()
        return [[each.port for each in client.service.instances] for client in clients]

    assert asyncio.run(ports()) == [[8008], [8009], [*THREE], [8011]]


def test_the_topology_of_the_file_is_the_clients_too(tmp_path):
    topology = Topology(evaluator=Service(instances=(Instance(port=9000),), timeout_seconds=1))
    variables = {"STEELYARD_HOME": str(tmp_path), "STEELYARD_TOKEN": "t" * 32}

    client = get_service_locator(variables, topology).create_http_client("evaluator")

    assert [each.port for each in client.service.instances] == [9000]
    asyncio.run(client.aclose())


def test_a_service_that_there_is_not_is_told_with_the_nearest():
    with pytest.raises(InputError, match="Did you mean evaluator"):
        get_service_locator({}).create_http_client("evaluators")


def test_each_evaluator_has_its_turn_and_what_comes_back_is_what_was_said():
    answer = evaluate(EVALUATED)
    transport, seen = by_requests(lambda _: httpx2.Response(200, content=answer.model_dump_json()))

    async def asked():
        async with client_of("evaluator", Topology(), "secret", transport) as client:
            return [await client.evaluate_sequences(EVALUATED) for _ in range(6)]

    assert asyncio.run(asked()) == [answer] * 6
    assert Counter(request.url.port for request in seen) == dict.fromkeys(THREE, 2)
    assert {request.url.path for request in seen} == {"/evaluator/evaluate"}
    assert {request.headers["authorization"] for request in seen} == {"Bearer secret"}
    assert json.loads(seen[0].content) == json.loads(EVALUATED.model_dump_json())


def test_an_evaluator_that_does_not_answer_is_passed_over_for_the_next():
    answer = evaluate(EVALUATED)

    def two_are_gone(request):
        if request.url.port != THREE[2]:
            raise httpx2.ConnectError("refused")
        return httpx2.Response(200, content=answer.model_dump_json())

    transport, seen = by_requests(two_are_gone)

    async def asked():
        async with client_of("evaluator", Topology(), "", transport) as client:
            return await client.evaluate_sequences(EVALUATED)

    assert asyncio.run(asked()) == answer
    assert [request.url.port for request in seen] == [*THREE]


def test_nobody_answering_and_a_refusal_are_two_errors():
    gone, _ = by_requests(lambda _: httpx2.Response(503))
    refusing, seen = by_requests(lambda _: httpx2.Response(422, text="no"))

    async def asked(transport):
        async with client_of("coordinator", Topology(), "", transport) as client:
            await client.create_plan(planning())

    with pytest.raises(ServiceError, match="No coordinator service answered"):
        asyncio.run(asked(gone))
    with pytest.raises(Refused, match="answered 422"):
        asyncio.run(asked(refusing))
    assert len(seen) == 1


def test_batches_come_over_http_line_by_line():
    request = generating(OPPORTUNITIES, batch_size=10)
    batches = list(generate(request))
    text = "".join(batch.model_dump_json() + "\n" for batch in batches)
    transport, _ = by_requests(lambda _: httpx2.Response(200, text=text))

    async def asked():
        async with client_of("generator", Topology(), "", transport) as client:
            return [batch async for batch in client.generate_sequences(request)]

    assert asyncio.run(asked()) == batches


def test_local_services_answer_what_the_functions_do():
    async def asked():
        generator = LocalGeneratorService()
        request = generating(OPPORTUNITIES, batch_size=10)
        return (
            [batch async for batch in generator.generate_sequences(request)],
            await LocalEvaluatorService().evaluate_sequences(EVALUATED),
            await LocalCoordinatorService().create_plan(planning()),
        )

    batches, evaluated, plan = asyncio.run(asked())

    assert batches == list(generate(generating(OPPORTUNITIES, batch_size=10)))
    assert evaluated == evaluate(EVALUATED)
    assert plan.plan_id == create(planning()).plan_id


def test_local_services_need_no_library_of_servers():
    code = """
import sys
for name in ("fastapi", "httpx2", "starlette", "uvicorn"):
    sys.modules[name] = None
from steelyard.errors import SettingsError
from steelyard.services.names import LocalCoordinatorService, get_service_locator
from steelyard.services.documents.request import request_of
LocalCoordinatorService()
try:
    get_service_locator().create_http_client("evaluator")
except SettingsError as error:
    print(error.fault.hint)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "pip install 'steelyard[server]'\n"
