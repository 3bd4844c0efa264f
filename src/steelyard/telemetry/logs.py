"""One line for each module at DEBUG, to the standard logger `steelyard.modules`; it says what ran,
never with what.

    module bucket=core name=filters.eligibility outcome=ok count=3 elapsed_ms=0.412

The same values travel as `extra` of the record (`bucket_id`, `qualified`, `outcome`, `count`,
`elapsed_ms`); `JsonLines` writes them as one JSON object a line. Of a module that failed another
line has the traceback, whose text may hold what a user typed: for DEBUG alone, as all of this.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

LOGGER = logging.getLogger("steelyard.modules")

FIELDS = "fields"
"""Attribute of a record that has the fields of its line, message included, in place of extras."""
BARE = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime", "taskName", FIELDS})
"""What every record has; the rest is what was given as `extra`."""


class JsonLines(logging.Formatter):
    """A record as one line of JSON: timestamp (UTC), level, logger, message, and its `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; what JSON has no form for stands as its text."""
        line: dict[str, Any] = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in BARE}
        line |= vars(record).get(FIELDS, {})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return as_json(line)


def as_json(line: Mapping[str, Any]) -> str:
    """Fields on one line of ASCII, so that nothing in them can begin another or steer a screen."""
    return json.dumps(line, default=str)


def log_module(
    bucket: str, qualified: str, outcome: str, count: int | None, seconds: float
) -> None:
    """Log that a module ran, failed or was skipped; `count` of what it returned, None = nothing."""
    elapsed_ms = round(1000 * seconds, 3)
    LOGGER.debug(
        "module bucket=%s name=%s outcome=%s count=%s elapsed_ms=%.3f",
        bucket if bucket.isidentifier() else json.dumps(bucket),
        qualified,
        outcome,
        "-" if count is None else count,
        elapsed_ms,
        extra={
            "bucket_id": bucket,
            "qualified": qualified,
            "outcome": outcome,
            "count": count,
            "elapsed_ms": elapsed_ms,
        },
    )


def log_failure(bucket: str, qualified: str, error: BaseException) -> None:
    """Log where a module failed, with its traceback; `error` or what it came from."""
    LOGGER.debug(
        "module bucket=%s name=%s failed",
        bucket if bucket.isidentifier() else json.dumps(bucket),
        qualified,
        exc_info=error,
        extra={"bucket_id": bucket, "qualified": qualified},
    )
