"""Lines of a service's log: one JSON object each, with the ids of its request, and no text of an
error.
"""

import asyncio
import io
import logging
from collections.abc import Iterator

import pytest

from builders.logged import lines, logged
from steelyard.telemetry import structured, traces
from steelyard.telemetry.logs import log_failure, log_module


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    with logged() as stream:
        yield stream


def test_every_line_begins_with_the_same_six_and_null_stands_where_none_is_known(stream):
    logging.getLogger("steelyard.any").info("%d rows", 3, extra={"amount": 1})

    (line,) = lines(stream)
    assert list(line)[:6] == ["timestamp", "level", "event", "trace_id", "bucket_id", "plan_id"]
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "level": "info", "event": "3 rows", "trace_id": None, "bucket_id": None, "plan_id": None,
        "service": None, "amount": 1, "logger": "steelyard.any",
    }  # fmt: skip


def test_what_becomes_known_in_a_thread_of_a_request_stands_in_its_later_lines_alone(stream):
    async def request(bucket: str) -> None:
        with structured.during():
            await asyncio.to_thread(structured.bind, bucket_id=bucket)
            await asyncio.sleep(0)
            logging.getLogger("steelyard.any").info(bucket)

    async def both() -> None:
        await asyncio.gather(request("core"), request("satellite"))

    asyncio.run(both())
    structured.bind(bucket_id="nobody")
    logging.getLogger("steelyard.any").info("after")

    pairs = {line["event"]: line["bucket_id"] for line in lines(stream)}
    assert pairs == {"core": "core", "satellite": "satellite", "after": None}


def test_a_module_has_a_line_with_its_values_and_its_own_bucket(stream):
    with structured.during(bucket_id="core"):
        log_module("other", "filters.eligibility", "ok", 3, 0.0025)

    (line,) = lines(stream)
    assert (line["event"], line["level"], line["bucket_id"]) == ("module", "debug", "other")
    assert (line["qualified"], line["outcome"], line["count"]) == ("filters.eligibility", "ok", 3)
    assert line["elapsed_ms"] == 2.5


def failure() -> Exception:
    try:
        raise ValueError("token abc of the body")
    except ValueError as error:
        return error


def test_of_an_error_there_is_its_kind_and_place_and_never_its_text(stream):
    log_failure("core", "filters.eligibility", failure())

    (line,) = lines(stream)
    assert line["error"] == "ValueError"
    assert line["where"].startswith("test_structured.py:")
    assert line["where"].endswith(" in failure")
    assert "abc" not in stream.getvalue()


def test_for_debugging_there_is_all_of_it():
    with logged(debug=True) as stream:
        log_failure("core", "filters.eligibility", failure())
        logging.getLogger("steelyard.any").debug("more")

    failed, more = lines(stream)
    assert "ValueError: token abc of the body" in failed["traceback"]
    assert more["event"] == "more"


def test_nothing_in_a_value_begins_another_line_or_steers_a_screen(stream):
    logging.getLogger("steelyard.any").info("a\nb\x1b[31m\u2028é", extra={"bucket_id": "\u202e"})

    assert stream.getvalue().isascii()
    assert len(lines(stream)) == 1
    assert "\x1b" not in stream.getvalue()


def test_other_libraries_say_what_is_wrong_and_no_more_in_the_same_form(stream, capsys):
    logging.getLogger("some.library").info("GET /path?token=abc")
    logging.getLogger("some.library").warning("lost\nValueError: token abc", extra={"x": "abc"})

    events = [line["event"] for line in lines(stream)]
    assert events == ["lost"]
    assert "abc" not in stream.getvalue()
    assert capsys.readouterr().out == ""


def test_a_line_within_a_trace_has_its_id(stream):
    trace = "0af7651916cd43dd8448eb211c80319c"
    headers = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    with traces.entered(traces.Traces().tracer, headers, "request"):
        logging.getLogger("steelyard.any").info("here")

    assert lines(stream)[0]["trace_id"] == trace
