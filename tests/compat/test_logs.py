"""The documents' logger writes JSON, through any handler of Python's own logging."""

import io
import json
import logging

import pytest

from steelyard.compat import StructuredLogger
from steelyard.errors import InputError
from steelyard.telemetry.logs import JsonLines


@pytest.fixture
def written():
    """A logger of the test's own, what it wrote as text, and what it wrote as JSON lines."""
    logger = logging.getLogger("own of a test")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    plain, lines = io.StringIO(), io.StringIO()
    logger.addHandler(logging.StreamHandler(plain))
    formatted = logging.StreamHandler(lines)
    formatted.setFormatter(JsonLines())
    logger.addHandler(formatted)
    yield StructuredLogger("satellite_a", logger), plain, lines
    logger.handlers.clear()


def test_a_line_is_the_message_with_bucket_and_fields_at_every_level(written):
    logger, plain, _ = written

    for level in ("debug", "info", "warning", "error"):
        getattr(logger, level)(f"at {level}", count=5)
    logger.log("CRITICAL", "at last")

    read = [json.loads(line) for line in plain.getvalue().splitlines()]
    assert read[1] == {"bucket_id": "satellite_a", "message": "at info", "count": 5}
    assert [line["message"] for line in read][-2:] == ["at error", "at last"]


def test_json_lines_have_its_fields_once(written):
    logger, _, lines = written

    logger.info("Done", count=5, level="odd")

    read = json.loads(lines.getvalue())
    assert (read["message"], read["bucket_id"], read["count"]) == ("Done", "satellite_a", 5)
    assert (read["logger"], read["level"]) == ("own of a test", "odd")


def test_a_field_can_neither_end_the_line_nor_begin_another(written):
    logger, plain, lines = written

    logger.info("a\nb %s \u2028", error="{\n}", value={1, 2})

    for text in (plain.getvalue(), lines.getvalue()):
        assert len(text.splitlines()) == 1
        assert json.loads(text)["error"] == "{\n}"


def test_a_level_that_is_none_is_refused(written):
    with pytest.raises(InputError, match=r"'warn' is no level of the log\. Did you mean warning"):
        written[0].log("warn", "no")
