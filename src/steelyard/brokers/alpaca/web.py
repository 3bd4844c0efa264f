"""HTTP to Alpaca: an order is sent once, a question up to five times, and nothing is followed.

A reply is what came, whatever it was; no reply at all is None. Numbers become decimals from their
text.
"""

from __future__ import annotations

import json
import random
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

import httpx2

from steelyard.brokers.alpaca.access import Access
from steelyard.brokers.alpaca.allowance import Allowance
from steelyard.errors import BrokerError, one_line

CONNECT_S, READ_S = 5.0, 15.0
TRIES = 5
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 65.0
LONGEST_COUNT = 12
"""Digits of seconds since 1970, and some."""
LARGEST = 16 * 1024 * 1024
"""Bytes of a body: a page of 500 orders has under one million."""
TOO_MANY = 429
SERVER_ERROR = 500
OK, REDIRECT = 200, 300
Method = Literal["GET", "POST", "DELETE"]
Where = Literal["trading", "data"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `body` is None where it is no JSON."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """A success with a body that can be read?"""
        return OK <= self.status < REDIRECT and self.body is not None

    @property
    def message(self) -> str:
        """The broker's words, on one line."""
        text = self.body.get("message", "") if isinstance(self.body, dict) else ""
        return one_line(str(text), 200) or f"status {self.status}"

    @property
    def code(self) -> int:
        """The broker's number of an error; 0 = none."""
        code = self.body.get("code") if isinstance(self.body, dict) else None
        return code if isinstance(code, int) else 0


@dataclass(frozen=True, slots=True)
class Timing:
    """Time and chance, so that tests have their own."""

    now: Callable[[], float] = time.time
    steady: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random
    connect_s: float = CONNECT_S
    read_s: float = READ_S


class Web:
    """A connection that outlives requests; `tls` None = certificates as usual."""

    def __init__(
        self, access: Access, timing: Timing | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        self._access, self._timing = access, timing or Timing()
        self._allowance = Allowance(self._timing.steady, self._timing.sleep)
        read = self._timing.read_s
        self._client = httpx2.Client(
            transport=httpx2.HTTPTransport(verify=tls or True, retries=0),
            timeout=httpx2.Timeout(read, connect=self._timing.connect_s),
            follow_redirects=False, trust_env=False,
            headers={
                "APCA-API-KEY-ID": access.key.reveal(),
                "APCA-API-SECRET-KEY": access.secret.reveal(),
                "Accept": "application/json",
            },
        )  # fmt: skip

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self._timing.sleep(seconds)

    def once(
        self, method: Method, path: str, body: Mapping[str, str] | None = None
    ) -> Answer | None:
        """Send once; None = no whole answer came, and nobody knows what became of it."""
        self._allowance.wait(order=method == "POST")
        answer = self._send(method, self._access.trading + path, json=body)
        wish = None if answer is None else _wish(answer, self._timing.now())
        if wish is not None:  # nothing is sent again here, and the next request keeps to it
            self._allowance.hold(min(max(wish, 0.0), LONGEST_WAIT_S))
        return answer

    def ask(
        self, path: str, params: Mapping[str, str] | None = None, *, where: Where = "trading"
    ) -> Answer:
        """A question, asked again while no usable answer comes.

        Returns successes, and refusals other than "too many"; raises BrokerError for the rest.
        """
        host = self._access.trading if where == "trading" else self._access.data
        answer = None
        for attempt in range(TRIES):
            if attempt:
                self._timing.sleep(self._pause(attempt, answer))
            self._allowance.wait(order=False)
            answer = self._send("GET", host + path, params=params)
            if answer is not None and (answer.ok or _refused(answer)):
                return answer
        words = "no answer" if answer is None else answer.message
        raise BrokerError(
            f"Alpaca did not answer {path} in {TRIES} attempts: {words}. It was a question: "
            "nothing was sent by it.",
            code="no_answer", place=path, hint="try again later",
        )  # fmt: skip

    def _pause(self, attempt: int, answer: Answer | None) -> float:
        """Seconds until the next attempt: the broker's wish, else longer each time, shuffled."""
        wish = None if answer is None else _wish(answer, self._timing.now())
        if wish is None:
            wish = FIRST_WAIT_S * 2 ** (attempt - 1) * (0.5 + self._timing.chance())
        return min(max(wish, 0.0), LONGEST_WAIT_S)

    def _send(self, method: Method, url: str, **content: Any) -> Answer | None:
        """One exchange; the whole of it within the time, however slowly the body comes."""
        until = self._timing.steady() + self._timing.connect_s + self._timing.read_s
        body = b""
        try:
            with self._client.stream(method, url, **content) as response:
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > LARGEST or self._timing.steady() > until:
                        return None
                headers = {name.lower(): text for name, text in response.headers.items()}
                return Answer(response.status_code, _parsed(body), headers)
        except (httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL):
            return None


def _parsed(body: bytes) -> Any:
    """JSON with exact numbers; None for anything else. An empty body is an empty object."""
    try:
        return json.loads(body or b"{}", parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError, InvalidOperation):
        return None


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is no number")


def _refused(answer: Answer) -> bool:
    return REDIRECT <= answer.status < SERVER_ERROR and answer.status != TOO_MANY


def _wish(answer: Answer, now: float) -> float | None:
    """Seconds that the broker asks for; None = it does not say.

    Every answer says when the count of the minute begins again; only one too many means it.
    """
    wishes = [("retry-after", 0.0)]
    if answer.status == TOO_MANY:
        wishes.append(("x-ratelimit-reset", now))
    for name, zero in wishes:
        text = answer.headers.get(name, "").strip()
        if text.isascii() and text.isdigit() and len(text) <= LONGEST_COUNT:
            return int(text) - zero
    return None
