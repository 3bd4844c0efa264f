"""The documents' structured logger: each line is a JSON object, by Python's own logging."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from steelyard.errors import InputError, did_you_mean
from steelyard.telemetry.logs import FIELDS, as_json

LEVELS = ("debug", "info", "warning", "error", "critical")


class StructuredLogger:
    """Logs messages of a bucket with fields; the line is JSON, whatever the handler makes of it.

    >>> StructuredLogger("core", logging.getLogger("steelyard")).info("Done", count=5)
    """

    def __init__(self, bucket_id: str, logger: logging.Logger) -> None:
        self.bucket_id, self.logger = bucket_id, logger

    def log(self, level: str, message: str, **fields: object) -> None:
        """Log at a level by its name; raises InputError for a name that is none."""
        if level.lower() not in LEVELS:
            near = did_you_mean(level.lower(), LEVELS)
            raise InputError(
                f"{level!r} is no level of the log.{near} There are {', '.join(LEVELS)}.",
                code="no_such_level",
                place="level",
                value=level,
                limit=", ".join(LEVELS),
                hint=near.strip(),
            )
        self._write(level, message, fields)

    def _write(self, level: str, message: str, fields: Mapping[str, object]) -> None:
        line = {"bucket_id": self.bucket_id, "message": message, **fields}
        number = logging.getLevelNamesMapping()[level.upper()]
        self.logger.log(number, "%s", as_json(line), extra={FIELDS: line})

    def debug(self, message: str, **fields: object) -> None:
        """Log at DEBUG."""
        self._write("debug", message, fields)

    def info(self, message: str, **fields: object) -> None:
        """Log at INFO."""
        self._write("info", message, fields)

    def warning(self, message: str, **fields: object) -> None:
        """Log at WARNING."""
        self._write("warning", message, fields)

    def error(self, message: str, **fields: object) -> None:
        """Log at ERROR."""
        self._write("error", message, fields)
