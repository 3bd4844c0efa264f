"""The log of a service: one JSON object a line, each with the ids of the request that it is of.

    {"timestamp": …, "level": …, "event": …, "trace_id": …, "bucket_id": …, "plan_id": …,
     "service": …, …}

`during` begins a request and `bind` adds what becomes known of it, from any of its threads. What
`steelyard.modules` logs for developers comes out as `"event": "module"`. Never in it: a query, a
body, a token. The text of an error may hold such, so that only its kind and place are written, but
for debugging.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import structlog
from structlog.processors import JSONRenderer, TimeStamper
from structlog.stdlib import ExtraAdder, ProcessorFormatter, add_log_level

from steelyard.telemetry import logs, traces

IDS = ("trace_id", "bucket_id", "plan_id")
FIRST = ("timestamp", "level", "event", *IDS, "service")
"""What every line begins with."""
FEW = (*FIRST, "logger", "error", "where")
"""What is written of a line of another library."""
WITH_VALUES = frozenset({logs.LOGGER.name, "steelyard.audit"})
"""Loggers whose lines say what happened in one word, then values, which stand beside it here."""
LEVELS = {"": logging.WARNING, "steelyard": logging.INFO, "uvicorn": logging.INFO}
"""From which level on the lines of a logger are written; "" is every other library's."""

RECORDED = (add_log_level, TimeStamper(fmt="iso", utc=True))

Line = MutableMapping[str, Any]
_of_request: ContextVar[dict[str, Any] | None] = ContextVar("of_request", default=None)


@contextmanager
def during(**fields: str | None) -> Iterator[None]:
    """A request begins: its ids stand in every line until it ends."""
    token = _of_request.set(dict(fields))
    try:
        yield
    finally:
        _of_request.reset(token)


def bind(**fields: str | None) -> None:
    """Add to the ids of the current request, for its later lines; outside of one nothing."""
    fields_of_request = _of_request.get()
    if fields_of_request is not None:
        fields_of_request.update(fields)  # one mapping for all threads of the request


def log_to(stream: TextIO, service: str | None = None, *, debug: bool = False) -> None:
    """Send every log of this process to a stream as JSON lines; what did so before no longer does.

    service  whose lines they are: several write to one stream
    debug    also what is for developers, texts and traces of errors included
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter(service, debug=debug))
    for name, level in LEVELS.items():
        logger = logging.getLogger(name)
        logger.handlers[:] = [] if name else [handler]
        logger.setLevel(logging.DEBUG if debug and name else level)
    logs.LOGGER.setLevel(logging.DEBUG)  # a line for each module, whatever else is asked for
    structlog.configure(  # of libraries that log by it, as retries do
        processors=[*RECORDED, ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )


def formatter(service: str | None = None, *, debug: bool = False) -> logging.Formatter:
    """Records of the standard library as JSON lines."""
    return ProcessorFormatter(
        foreign_pre_chain=[ExtraAdder(), *RECORDED],
        processors=[
            partial(_with_ids, service),
            _with_traceback if debug else _with_error,
            ProcessorFormatter.remove_processors_meta,
            *(() if debug else (_without_values,)),
            JSONRenderer(serializer=_in_order),
        ],
    )


def _with_ids(service: str | None, _: object, __: str, line: Line) -> Line:
    record: logging.LogRecord = line["_record"]
    ids = {"trace_id": traces.trace_id(), **(_of_request.get() or {}), "service": service}
    event = str(line["event"])
    if record.name in WITH_VALUES:
        event = event.partition(" ")[0]
    line.pop("color_message", None)  # the server's, for a terminal
    return {**ids, **line, "event": event, "logger": record.name}


def _with_error(_: object, __: str, line: Line) -> Line:
    """The kind of an error and where it came from, in place of its text."""
    error = _error(line)
    if error is not None:
        line["error"], line["where"] = type(error).__name__, where(error.__traceback__)
    return line


def _without_values(_: object, __: str, line: Line) -> Line:
    """Of another library what happened, in its first line: its values may be a caller's."""
    if line["logger"].partition(".")[0] in LEVELS:
        return line
    event = str(line["event"]).partition("\n")[0]
    return {
        **{name: line.get(name) for name in (*FIRST, "logger", "error", "where")},
        "event": event,
    }


def _with_traceback(_: object, __: str, line: Line) -> Line:
    error = _error(line)
    if error is not None:
        line["traceback"] = "".join(traceback.format_exception(error))
    return line


def _error(line: Line) -> BaseException | None:
    seen = line.pop("exc_info", None)
    return seen[1] if seen else None


def where(trace: TracebackType | None) -> str:
    """`file.py:12 in function`, of the innermost frame."""
    frames = traceback.extract_tb(trace)
    return (
        f"{Path(frames[-1].filename).name}:{frames[-1].lineno} in {frames[-1].name}"
        if frames
        else ""
    )


def _in_order(line: Mapping[str, Any], **_: Any) -> str:
    """What every line has, then the rest as it came; on one line of ASCII."""
    return logs.as_json({name: line.get(name) for name in FIRST} | dict(line))
