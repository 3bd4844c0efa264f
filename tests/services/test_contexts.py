"""What a service was sent: under the hash of its bytes, of its own build, from its own plugins."""

from __future__ import annotations

import hashlib
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from builders.carrying import carrying
from builders.demo import growth
from builders.plugins import HEAD, pin
from steelyard.errors import ModuleError, OtherBuild
from steelyard.modules.registry import Kind
from steelyard.planning.findings import HERE
from steelyard.planning.guard import Guard
from steelyard.planning.planner import plan_case
from steelyard.services.applications import application
from steelyard.services.carriage.context import Task, packed
from steelyard.services.carriage.messages import Asked
from steelyard.services.contexts import Contexts
from steelyard.services.house import House
from steelyard.services.security.tokens import own_token
from steelyard.strategies import load

WORLD = growth(scope="candidates")
BODY = packed(Task.of(WORLD.prepared.ctx, WORLD.strategy, Guard()))


@pytest.fixture
def evaluator(tmp_path):
    house = House({"STEELYARD_HOME": str(tmp_path)}, port=8010)
    with TestClient(application("evaluator", house), "http://127.0.0.1:8010") as client:
        client.headers["Authorization"] = f"Bearer {own_token(house)}"
        client.headers["Content-Type"] = "application/json"
        yield client


def put(client, body, sha256=None):
    sha256 = sha256 or hashlib.sha256(body).hexdigest()
    return client.put(f"/evaluator/contexts/{sha256}", content=body)


def code(answer):
    return answer.json()["errors"][0]["code"]


def changed(**changes):
    return json.dumps({**json.loads(BODY), **changes}).encode()


def test_a_context_lies_under_its_hash_and_no_other(evaluator):
    assert put(evaluator, BODY).json() == {"context": hashlib.sha256(BODY).hexdigest()}
    wrong = put(evaluator, BODY, "0" * 64)
    assert (wrong.status_code, code(wrong)) == (422, "context_hash")


def test_a_call_of_an_unknown_context_asks_to_send_it(evaluator):
    asked = {
        "context": "a" * 64,
        "number": 0,
        "rows": {"dtype": "<i4", "shape": [0, 5], "data": ""},
    }
    answer = evaluator.post("/evaluator/evaluate", json=asked)
    assert (answer.status_code, code(answer)) == (404, "context_unknown")


def test_another_build_is_a_conflict(evaluator):
    answer = put(evaluator, changed(build="b" * 64))
    assert (answer.status_code, code(answer)) == (409, "other_build")
    strategy = json.loads(BODY)["strategy"]
    strategy["choices"]["filters"][0]["version"] = "9.9.9"
    assert put(evaluator, changed(strategy=strategy)).status_code == 409


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"{}", "build"),
        (changed(more=1), "more"),
        (changed(disabled=[]), "disabled"),
        (changed(context={"fields": {}, "arrays": [{"dtype": "<f2"}]}), "context.arrays.0.dtype"),
    ],
)
def test_a_body_that_is_no_context_is_refused_where_it_is_wrong(evaluator, body, place):
    answer = put(evaluator, body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["place"] == place


@pytest.mark.parametrize("context", [{}, {"as_of": "x"}, [], None, 5, {"symbols": ["A"] * 30_000}])
def test_fields_that_are_no_context_are_refused(evaluator, context):
    answer = put(evaluator, changed(context={"fields": context, "arrays": []}))
    assert answer.status_code == 422


@pytest.mark.parametrize(
    "rows",
    [
        {"dtype": "<i4", "shape": [1, 5], "data": ""},
        {"dtype": "<i4", "shape": [1, 1], "data": "AAAAAA=="},
        {"dtype": "<f8", "shape": [1, 5], "data": "AAAA" * 13 + "AA=="},
        {"dtype": "<i4", "shape": [-1, 5], "data": ""},
        {"dtype": "<i4", "shape": [1, 5], "data": "/////////////////////v///w=="},
    ],
)
def test_rows_that_are_none_of_the_table_are_refused(tmp_path, evaluator, rows):
    table = WORLD.prepared.table
    body = packed(Task.of(WORLD.prepared.ctx, WORLD.strategy, Guard(), table))
    sha256 = put(evaluator, body).json()["context"]
    asked = {"context": sha256, "number": 0, "rows": rows}
    assert evaluator.post("/evaluator/evaluate", json=asked).status_code == 422


def test_what_a_service_forgot_is_sent_again(tmp_path):
    with carrying(tmp_path, evaluators=1) as carried:
        first = plan_case(WORLD.case, carried.steps())
        for app in carried.apps.values():
            app.state.contexts = Contexts()
        again = plan_case(WORLD.case, carried.steps())
        assert first.plan_id == again.plan_id
        assert HERE not in {*again.transport.batches, *again.transport.steps.values()}


PATTERN = """
@pattern_generator("every_second", version="1.2.0", author="me", summary="Every second candidate.",
                   params=Params)
def every_second(ctx, table, params):
    rows = np.full((table.m // 2, ctx.search.max_depth), PAD)
    rows[:, 0] = np.arange(0, 2 * (table.m // 2), 2)
    return rows
"""
TERM = """
@score_term("round_weights", version="2.0.0", author="me", summary="Weights near whole percents.",
            params=Params)
def round_weights(ctx, params):
    def raw(weights, cash):
        return -float(np.abs(100 * weights - np.round(100 * weights)).sum())
    return Term("round_weights", (Part("round", 1.0, -10.0, 0.0, raw, BlackBox(10.0)),))
"""


def strategy_with(folder: Path):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {"pattern.py": PATTERN, "term.py": TERM}.items():
        (folder / name).write_text(HEAD + text)
    file = folder.parent / "mine.toml"
    pins = ", ".join(f'"{n}" = "{pin(folder / n)}"' for n in ("pattern.py", "term.py"))
    file.write_text(
        f'[plugins]\nfolder = "{folder}"\nfiles = {{{pins}}}\n[search]\nscope = "proposals"\n'
        "[score.further]\nround_weights = 0.2\n"
    )
    return load(file)


def test_a_pattern_and_a_term_that_are_dropped_in_as_files_work_in_every_service(tmp_path):
    strategy = strategy_with(tmp_path / "plugins")
    case = replace(WORLD.case, strategy=strategy)
    here = plan_case(case)
    assert {"every_second", "round_weights"} <= {run.name for run in here.modules}
    with carrying(tmp_path) as carried:
        plan = plan_case(case, carried.steps())
        assert plan.plan_id == here.plan_id
        assert HERE not in {*plan.transport.batches, *plan.transport.steps.values()}


def test_plugins_from_elsewhere_are_not_loaded_and_the_planner_plans_alone(tmp_path):
    strategy = strategy_with(tmp_path / "elsewhere")
    case = replace(WORLD.case, strategy=strategy)
    with carrying(tmp_path) as carried:
        plan = plan_case(case, carried.steps())
        assert plan.plan_id == plan_case(case).plan_id
        assert plan.transport.batches.keys() == {HERE}
        assert any("plugins" in notice.message for notice in plan.warnings)


CRASHES = """
@pattern_generator("ends", version="1.0.0", author="me", summary="Ends its worker.", params=Params)
def ends(ctx, table, params):
    os._exit(1)
"""


def with_plugins(folder: Path, text: str, name: str = "mine.py"):
    """A strategy of one plugin file, and where it was loaded from."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(HEAD + text)
    file = folder.parent / "strategy.toml"
    file.write_text(
        f'[plugins]\nfolder = "{folder}"\nfiles = {{"{name}" = "{pin(folder / name)}"}}\n'
        '[search]\nscope = "proposals"\n'
    )
    return load(file)


def sent(contexts: Contexts, strategy, folder: Path, seed: int = 0) -> str:
    ctx = replace(WORLD.prepared.ctx, seed=seed)
    body = packed(Task.of(ctx, strategy, Guard(), WORLD.prepared.table))
    sha256 = hashlib.sha256(body).hexdigest()
    contexts.put(sha256, body, (folder,))
    return sha256


def test_a_plugin_that_was_missing_is_loaded_once_it_is_there(tmp_path):
    folder, contexts = tmp_path / "plugins", Contexts()
    strategy = with_plugins(folder, PATTERN)
    text = (folder / "mine.py").read_text()
    (folder / "mine.py").unlink()
    with pytest.raises(OtherBuild):
        sent(contexts, strategy, folder)
    (folder / "mine.py").write_text(text)
    assert sent(contexts, strategy, folder)


def test_a_plugin_that_takes_its_time_to_load_holds_up_no_other_plan(tmp_path):
    folder, contexts = tmp_path / "plugins", Contexts()
    strategy = with_plugins(folder, PATTERN + "\ntime.sleep(1.5)\n")
    sha256 = sent(contexts, WORLD.strategy, folder)
    with ThreadPoolExecutor(1) as pool:
        loading = pool.submit(sent, contexts, strategy, folder)
        time.sleep(0.3)
        start = time.monotonic()
        contexts.task(Asked(context=sha256))
        assert (time.monotonic() - start < 0.5, loading.done()) == (True, False)


def test_a_worker_that_ended_too_often_is_started_anew_for_the_next_plan(tmp_path):
    folder, contexts = tmp_path / "plugins", Contexts()
    strategy = with_plugins(folder, CRASHES)
    errors = []
    for seed in range(6):
        sha256 = sent(contexts, strategy, folder, seed)
        task = contexts.task(Asked(context=sha256))
        (choice,) = [c for c in task.strategy.choices[Kind.PATTERN] if c.module.name == "ends"]
        with pytest.raises(ModuleError) as caught:
            choice.module.call(task.ctx, task.whole, choice.params)
        errors.append(caught.value.fault.code)
    assert "worker_starts" not in errors
