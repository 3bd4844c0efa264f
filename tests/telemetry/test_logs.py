"""A line of the log as JSON has the record's fields and can neither break nor steer anything."""

import json
import logging
import sys
from decimal import Decimal

from steelyard.telemetry.logs import JsonLines


def line(message: str, *args: object, error: object = None, **extra: object) -> str:
    record = logging.getLogger("steelyard").makeRecord(
        "steelyard", logging.INFO, "file.py", 1, message, args, error, extra=extra
    )
    return JsonLines().format(record)


def test_it_has_the_message_the_level_the_logger_and_what_was_given_beside():
    read = json.loads(line("%d rows", 3, bucket_id="core", count=3, amount=Decimal("0.10")))

    assert read.pop("timestamp").endswith("+00:00")
    assert read == {
        "level": "INFO", "logger": "steelyard", "message": "3 rows",
        "bucket_id": "core", "count": 3, "amount": "0.10",
    }  # fmt: skip


def test_it_is_one_line_of_ascii_whatever_is_in_it():
    text = line("a\nb\x1b[31m\u2028é", bucket_id="\u202e")

    assert text.isascii()
    assert len(text.splitlines()) == 1
    assert "\x1b" not in text


def test_a_failure_carries_its_traceback():
    try:
        raise ValueError("no")
    except ValueError:
        read = json.loads(line("went wrong", error=sys.exc_info()))

    assert "ValueError: no" in read["traceback"]
