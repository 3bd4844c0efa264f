"""One request to one instance of a service, its circuit, and the instances that may be asked.

    closed ──failures──▶ open ──open_seconds──▶ half-open ──one request tries──▶ closed or open

A request that tries moves the circuit's time, so that it tries alone; if its answer never comes,
the next may try after as long again. What fails is the instance: no answer, 5xx, 429, nonsense.
Another 4xx is an answer, and says nothing of the instance.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal, TypeVar

import httpx2
from pydantic import BaseModel, ValidationError

from steelyard.errors import InputError, ServiceError, one_line
from steelyard.services.topology import Instance, Service, Topology
from steelyard.telemetry.breaker import Circuit, Moment, Rules, State, after_failure, state_of

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")
Method = Literal["GET", "POST", "PUT"]
TOO_MANY, SERVER_ERRORS, MISSING, CONFLICT = 429, 500, 404, 409
UNANSWERED = "service_unanswered"
"""Code of what may be asked again: no answer, or one of no use."""
LONGEST_ANSWER = 200
"""Characters of a refusal that an error repeats."""
MOST_BYTES = 64 * 1024 * 1024
"""Of an answer: what is longer is none."""
JSON = {"Content-Type": "application/json"}


class Refused(ServiceError):
    """A service answered that it will not: 4xx. The instance is well."""

    def __init__(self, instance: Instance, status: int, text: str) -> None:
        self.status = status
        super().__init__(
            f"{instance.url} answered {status}: {one_line(text, LONGEST_ANSWER)} Nothing of it was "
            "used.",
            code="service_refused",
            place=instance.url,
            value=status,
        )


@dataclass
class Circuits:
    """The circuit of each instance, by its address; a change is told."""

    rules: Rules
    now: Callable[[], Moment]
    changed: Callable[[str, State], None] = lambda _, __: None
    _open: dict[str, Circuit] = field(default_factory=dict)

    def state(self, instance: Instance) -> State:
        """Closed, open, or half-open: one request may try."""
        return state_of(self._open.get(instance.url), self.rules, self.now())

    def try_out(self, instance: Instance) -> None:
        """A request is about to go out: to an instance half-open no other goes meanwhile."""
        if self.state(instance) == "half-open":
            circuit, now = self._open[instance.url], self.now()
            self._open[instance.url] = circuit.model_copy(update={"since": now})
            self.changed(instance.url, "half-open")

    def failed(self, instance: Instance, error: str) -> None:
        """No use came of a request."""
        circuit = after_failure(self._open.get(instance.url), error, self.now())
        self._open[instance.url] = circuit
        self.changed(instance.url, self.state(instance))

    def shut(self, instance: Instance, error: str) -> None:
        """An instance does not say that it is well: its circuit opens at once."""
        circuit = after_failure(self._open.get(instance.url), error, self.now())
        failures = max(self.rules.failure_threshold, circuit.failures)
        self._open[instance.url] = circuit.model_copy(update={"failures": failures})
        self.changed(instance.url, "open")

    def answered(self, instance: Instance) -> None:
        """An answer came."""
        if self._open.pop(instance.url, None) is not None:
            self.changed(instance.url, "closed")


@dataclass
class Calls:
    """Requests to the instances of a topology, by one client.

    headers   what every request says besides: the token; and where it belongs (`traceparent`)
    """

    topology: Topology
    client: httpx2.AsyncClient
    circuits: Circuits
    headers: Callable[[], Mapping[str, str]]

    def usable(self, service: Service) -> list[Instance]:
        """The instances whose circuit lets a request through."""
        return [each for each in service.instances if self.circuits.state(each) != "open"]

    async def ask(
        self,
        instance: Instance,
        method: Method,
        path: str,
        asked: tuple[bytes, float],
        answer: Callable[[Instance, bytes], T],
    ) -> T:
        """One answer to a body within so many seconds; raises ServiceError, Refused for a 4xx.

        answer   makes it from its bytes; raises ServiceError or InputError for what is none
        """
        body, seconds = asked
        async with (
            self._watched(instance, seconds, is_work=method != "PUT"),
            self.client.stream(
                method, instance.url + path, content=body, headers=self._headers(),
                timeout=seconds,
            ) as response,
        ):  # fmt: skip
            content = await _whole(instance, response)
            if response.status_code != httpx2.codes.OK:
                _refuse(instance, response.status_code, content)
            return answer(instance, content)

    @asynccontextmanager
    async def stream(
        self, instance: Instance, path: str, body: bytes, seconds: float
    ) -> AsyncIterator[AsyncIterator[str]]:
        """The lines of an answer that begins within so many seconds; who reads times the rest."""
        async with (
            self._watched(instance, seconds) as limit,
            self.client.stream(
                "POST", instance.url + path, content=body, headers=self._headers(), timeout=seconds
            ) as response,
        ):
            if response.status_code != httpx2.codes.OK:
                _refuse(instance, response.status_code, await _whole(instance, response))
            limit.reschedule(None)
            yield response.aiter_lines()

    def _headers(self) -> dict[str, str]:
        return {**JSON, **self.headers()}

    @asynccontextmanager
    async def _watched(
        self, instance: Instance, seconds: float, *, is_work: bool = True
    ) -> AsyncIterator[asyncio.Timeout]:
        """Whatever fails is the instance's failure, but a refusal; raises ServiceError for it.

        is_work   says an answer that it is well? One that takes contexts may still not work
        """
        self.circuits.try_out(instance)
        try:
            async with asyncio.timeout(seconds) as limit:
                yield limit
        except Refused:
            if is_work:
                self.circuits.answered(instance)
            raise
        except (httpx2.HTTPError, TimeoutError, OSError, ServiceError, InputError) as error:
            why = _why(error, seconds)
            self.circuits.failed(instance, why)
            raise unanswered(instance, why) from error
        if is_work:
            self.circuits.answered(instance)


def _why(error: Exception, seconds: float) -> str:
    if isinstance(error, ServiceError) and error.fault.code == UNANSWERED:
        return str(error.fault.value)
    if isinstance(error, ServiceError | InputError):
        return one_line(str(error), LONGEST_ANSWER)
    if isinstance(error, TimeoutError | httpx2.TimeoutException):
        return f"no answer within {seconds:.3g} s"
    return one_line(f"{type(error).__name__}: {error}", LONGEST_ANSWER)


async def _whole(instance: Instance, response: httpx2.Response) -> bytes:
    """The body of an answer; raises ServiceError for one that does not end."""
    content = bytearray()
    async for part in response.aiter_bytes():
        content += part
        if len(content) > MOST_BYTES:
            raise unanswered(instance, f"its answer has more than {MOST_BYTES:,} bytes")
    return bytes(content)


def reading(answer: type[M]) -> Callable[[Instance, bytes], M]:
    """What reads a message of a service."""
    return lambda instance, content: read(instance, content, answer)


def read(instance: Instance, content: bytes | str, answer: type[M]) -> M:
    """A message of a service; raises ServiceError for what is none."""
    try:
        return answer.model_validate_json(content)
    except ValidationError as error:
        where = ".".join(map(str, error.errors(include_url=False)[0]["loc"]))
        raise unanswered(
            instance, f"its answer cannot be read, at {where or 'its start'}"
        ) from error


def _refuse(instance: Instance, status: int, content: bytes) -> None:
    """Raise what a status that is not 200 means."""
    text = content[:1000].decode("utf-8", "replace")
    if status >= SERVER_ERRORS or status == TOO_MANY:
        raise unanswered(instance, f"status {status}: {one_line(text, LONGEST_ANSWER)}")
    raise Refused(instance, status, text)


def unanswered(instance: Instance, why: str) -> ServiceError:
    """An instance that gave no use."""
    return ServiceError(
        f"{instance.url}: {why}. Nothing of it was used.",
        code=UNANSWERED,
        place=instance.url,
        value=why,
    )
