"""Every operation of every service's OpenAPI document, asked with all that its schema allows, and
with what it does not: no error of the server, and no status, type or form that is not documented.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS

from builders.asked import Desk
from builders.management import SHALLOW, load_own
from builders.streams import begun
from steelyard.services.applications import application
from steelyard.services.security.limits import Limits

NAMES = ("coordinator", "opportunity", "generator", "evaluator")
STREAM = "/events"
"""It does not end: of its answers only the beginning is read."""
CHECKED = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance",
    "response_headers_conformance", "response_schema_conformance",
)  # fmt: skip
COMMON = {
    "deadline": None, "database": None, "derandomize": True,
    "suppress_health_check": list(HealthCheck), "phases": [Phase.generate],
}  # fmt: skip


class Asked:
    """An application with something in it, its operations, and ids that are really there."""

    def __init__(self, home: Path, name: str) -> None:
        limits = Limits(requests_per_second=1e6, burst=10**6)
        self.desk = Desk(home, partial(application, name), limits, port=0)
        self.headers = {"Authorization": f"Bearer {self.desk.token('admin')}"}
        document = self.desk.app.openapi()
        self.schema = schemathesis.openapi.from_dict(document)
        self.schema.app = self.desk.app
        self.there = self._filled() if name == "coordinator" else {}

    def _filled(self) -> dict[str, str]:
        load_own(self.desk.house.store(), self.desk.home)
        client = self.desk.client(self.headers["Authorization"].split()[1])
        saved = client.post("/configs", json={"name": "mine", "config_toml": SHALLOW})
        assert saved.status_code == 201, saved.text
        plan = client.post("/api/plans", json={"bucket": "core"})
        assert plan.status_code == 201, plan.text
        return {
            "name": "mine", "config_id": "1", "bucket_id": "core", "id": "core",
            "plan_id": plan.json()["plan_id"], "other_id": plan.json()["plan_id"],
        }  # fmt: skip

    def operations(self) -> Iterator[Any]:
        for result in self.schema.get_all_operations():
            yield result.ok()

    def ask(self, case: Any, *, real: bool) -> int:
        """Send a case; `real`: to what is there, where its path has ids."""
        if real:
            case.path_parameters.update(
                {key: self.there[key] for key in case.path_parameters if key in self.there}
            )
        if case.operation.path == STREAM:
            return self._begun(case)
        response = case.call(headers=self.headers, base_url="http://localhost")
        case.validate_response(response, checks=[CHECKS.get_one(name) for name in CHECKED])
        return int(response.status_code)

    def _begun(self, case: Any) -> int:
        query = urlencode(case.query or {}, doseq=True).encode()
        headers = {**{str(k): str(v) for k, v in (case.headers or {}).items()}, **self.headers}
        status = asyncio.run(begun(self.desk.app, "GET", STREAM, query, headers, port=80))
        documented = case.operation.definition.raw["responses"]
        assert str(status) in documented
        assert status < 500
        return status


def ask_all(asked: Asked, examples: int) -> Counter[int]:
    """Ask every operation so often, a third of it wrongly; how often each status was answered."""
    answers: Counter[int] = Counter()
    wrong = examples // 3
    for operation in asked.operations():
        for mode, count in zip(_modes(operation), (examples - wrong, wrong), strict=False):

            @settings(max_examples=count, **COMMON)
            @given(operation.as_strategy(generation_mode=mode), st.booleans())
            def ask(case: Any, real: bool) -> None:
                answers[asked.ask(case, real=real)] += 1

            ask()
    return answers


def _modes(operation: Any) -> list[GenerationMode]:
    """Where nothing may be said, nothing may be said wrongly."""
    silent = not operation.body and not list(operation.iter_parameters())
    return [GenerationMode.POSITIVE, *([] if silent else [GenerationMode.NEGATIVE])]


@pytest.fixture
def asked(tmp_path: Path, name: str) -> Iterator[Asked]:
    asked = Asked(tmp_path, name)
    yield asked
    asked.desk.house.close()


@pytest.mark.parametrize(("name", "examples"), [*zip(NAMES, (15, 6, 6, 6), strict=True)])
def test_every_operation_answers_as_its_document_says(asked: Asked, examples: int):
    answers = ask_all(asked, examples)

    assert answers[200] > 0
    assert answers[422] > 0
    assert max(answers) < 504


@pytest.mark.nightly
@pytest.mark.parametrize("name", NAMES)
def test_every_operation_answers_as_its_document_says_two_hundred_times(asked: Asked):
    answers = ask_all(asked, 200)

    assert answers.total() > 200
