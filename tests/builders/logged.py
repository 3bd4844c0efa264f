"""The log of a service, written to a stream; afterwards all loggers are as they were."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from steelyard.telemetry import logs, structured


@contextmanager
def logged(*, debug: bool = False) -> Iterator[io.StringIO]:
    """What `structured.log_to` writes meanwhile."""
    loggers = [logging.getLogger(name) for name in (*structured.LEVELS, logs.LOGGER.name)]
    before = [(logger, logger.level, list(logger.handlers)) for logger in loggers]
    stream = io.StringIO()
    structured.log_to(stream, debug=debug)
    try:
        yield stream
    finally:
        for logger, level, handlers in before:
            logger.setLevel(level)
            logger.handlers[:] = handlers
        structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    """Each line, read."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]
