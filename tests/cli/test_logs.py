"""The log: on stderr for whoever asks for it, from the level that the environment names on."""

import json
import logging
from collections.abc import Iterator

import pytest

from builders.commands import own_files, run
from steelyard.cli.logs import log_to_stderr


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """The log as it was, after each test."""
    logger = logging.getLogger("steelyard")
    handlers, level = list(logger.handlers), logger.level
    yield
    logger.handlers[:] = handlers
    logger.setLevel(level)


def test_the_log_has_a_line_for_each_module_for_whoever_asks_for_it(folder, capsys):
    log_to_stderr({"STEELYARD_LOG": "debug"})
    document = json.loads(run("demo", "--json").stdout)

    lines = capsys.readouterr().err.splitlines()
    modules = "DEBUG steelyard.modules module bucket=core name="
    assert sum(line.startswith(modules) for line in lines) == len(document["modules"])


@pytest.mark.parametrize("environment", [{}, {"STEELYARD_LOG": ""}, {"STEELYARD_LOG": "error"}])
def test_nothing_is_logged_that_nobody_asked_for(folder, capsys, environment):
    log_to_stderr(environment)
    run("plan", *own_files(folder), "--json")

    assert capsys.readouterr().err == ""


def test_a_level_that_does_not_exist_is_told_and_cut(capsys):
    log_to_stderr({"STEELYARD_LOG": "loud"})
    loud = capsys.readouterr().err
    logging.getLogger("steelyard").handlers.clear()
    log_to_stderr({"STEELYARD_LOG": "x" * 10_000})
    long = capsys.readouterr().err

    assert (
        "STEELYARD_LOG is 'loud': no level of the log. There are debug, info, warning, error."
        in loud
    )
    assert "xxx…" in long
    assert len(long) < 200


def test_the_log_as_json_is_one_object_a_line_with_the_bucket(folder, capsys):
    log_to_stderr({"STEELYARD_LOG": "debug", "STEELYARD_LOG_FORMAT": "json"})
    document = json.loads(run("demo", "--json").stdout)

    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    modules = [line for line in lines if line["logger"] == "steelyard.modules"]
    assert len(modules) == len(document["modules"])
    assert {line["bucket_id"] for line in modules} == {"core"}
    assert {"timestamp", "level", "message", "qualified", "outcome", "count", "elapsed_ms"} <= set(
        modules[0]
    )


def test_a_form_that_does_not_exist_is_told_and_the_log_is_text(capsys):
    log_to_stderr({"STEELYARD_LOG": "error", "STEELYARD_LOG_FORMAT": "xml"})
    logging.getLogger("steelyard").error("went wrong")

    assert capsys.readouterr().err == "ERROR steelyard went wrong\n"

    log_to_stderr({"STEELYARD_LOG": "warning", "STEELYARD_LOG_FORMAT": "xml"})
    assert "STEELYARD_LOG_FORMAT is 'xml': no form of the log. There are text, json." in (
        capsys.readouterr().err
    )
