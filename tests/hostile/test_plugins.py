"""A plugin of any quality costs only itself: the plan names it and is otherwise as without it."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import pytest

from builders.context import context
from builders.plugins import every, outcome, planned, plugins, wait_until, workers
from builders.world import BUSY
from steelyard.errors import ModuleError
from steelyard.settings import Search

PROPOSING = replace(
    BUSY,
    strategy=replace(
        BUSY.strategy, search=BUSY.strategy.search.model_copy(update={"scope": "proposals"})
    ),
)

CALCULATOR = """
@opportunity_calculator("hostile", version="1.0.0", params=Params)
def hostile(ctx, params):
    {body}
"""


def calculator(body: str) -> str:
    return textwrap.dedent(CALCULATOR).replace(
        "{body}", textwrap.indent(textwrap.dedent(body).strip(), "    ").strip()
    )


def pattern(body: str) -> str:
    return (
        calculator(body)
        .replace("opportunity_calculator", "pattern_generator")
        .replace("(ctx, params)", "(ctx, candidates, params)")
    )


def generator(body: str) -> str:
    return (
        calculator(body)
        .replace("opportunity_calculator", "sequence_generator")
        .replace("(ctx, params)", "(ctx, candidates, seeds, params)")
    )


def sieve(form: str, body: str) -> str:
    return pattern(body).replace(
        'pattern_generator("hostile",', f'sequence_filter("hostile", form="{form}",'
    )


def term(body: str) -> str:
    return calculator(f"n = ctx.n + 1\n{textwrap.dedent(body)}").replace(
        "opportunity_calculator", "score_term"
    )


def part(share: str, shape: str) -> str:
    """A term of one part without a formula."""
    return term(f"return Term('hostile', (Part('p', {share}, 0.0, 1.0, None, {shape}),))")


def plan_of(folder, text, world=BUSY, weight=0.0, **settings):
    """The plan with one plugin, which loads."""
    with plugins(folder, {"plugin.py": text}, **settings) as loaded:
        assert loaded.problems == ()
        return planned(world, loaded, weight=weight)


def failure(plan) -> str:
    """The one module that failed, in words."""
    (problem,) = (problem for problem in plan.problems if problem.code == "module_failed")
    return problem.message


def ran(plan, *names):
    runs = {run.name: (run.outcome, run.count) for run in plan.modules}
    return [runs[name] for name in names]


@functools.cache
def clean(proposals: bool = False):
    """The plan without any plugin."""
    return (PROPOSING if proposals else BUSY).plan()


def selling(symbol: str = "ctx.symbols[0]", weight: str = "-0.01", priority: str = "1.0") -> str:
    """A calculator that wants one sale."""
    return calculator(
        f"return [Candidate(Side.SELL, {symbol}, ({weight},), {priority}, say('{{w:pct}} of value',"
        " w=0.01))]"
    )


FAILS_LATER = """
seen = []
def ask(rows):
    seen.append(1)
    if len(seen) > 5: os._exit(1)
    return rows[:, 0] < 0
return ask
"""


ENDING = {
    "exits at once": (calculator("os._exit(3)"), "exit code 3"),
    "crashes": (calculator("import ctypes; ctypes.string_at(0)"), "SIGSEGV"),
    "eats memory": (
        calculator("return [bytearray(1 << 20) for _ in range(100_000)]"),
        "MemoryError",
    ),
    "writes garbage to its channel": (
        calculator("""
            for handle in range(3, 20):
                try: os.write(handle, b"garbage" * 100)
                except OSError: pass
            return []
        """),
        "its answer",
    ),
    "closes its channel": (calculator("os.closerange(3, 60); time.sleep(60)"), "worker"),
    "fails in mid-search": (sieve("rows", FAILS_LATER), "exit code 1"),
}
"""Calls after which there is no worker any more."""

BREAKING = {
    "raises": (calculator("raise ValueError('no luck')"), "ValueError: no luck (plugin.py line"),
    "has a spoiled error": (
        calculator("class Bad(Exception):\n    def __str__(self): raise RuntimeError\nraise Bad"),
        "its text cannot be had",
    ),
    "exits": (calculator("sys.exit(3)"), "SystemExit"),
    "recurses": (calculator("def deep(): return deep()\nreturn deep()"), "RecursionError"),
    "tags with one text": (
        calculator(
            "return [Candidate(Side.SELL, ctx.symbols[0], (-0.01,), 1.0, say('so'), 'tax')]"
        ),
        "the text 'tax'; a tuple of texts is due, ('tax',)",
    ),
    "says a page of digits": (
        calculator(
            "return [Candidate(Side.SELL, ctx.symbols[0], (-0.01,), 1.0, say('{w:qty}', "
            "w=Decimal('1E-999999')))]"
        ),
        "not a finite number that can be read",
    ),
    "says too much": (
        calculator(
            "return [Candidate(Side.SELL, ctx.symbols[0], (-0.01,), 1.0, say('{w:text}' * 50, "
            "w='x' * 50))]"
        ),
        "2,500 characters with its facts",
    ),
    "calls a variant by a number": (pattern("return {1: []}"), "where a str is due"),
    "calls a variant by a tag": (
        pattern("return {'<b>': []}"),
        "variants are named in small letters",
    ),
    "a slope of imaginary numbers": (
        part("1.0", "Linear(0.0, np.ones(n) * 1j)"),
        "an array of complex128 where float64 is due",
    ),
    "a slope beyond all measure": (
        part("1.0", "Linear(0.0, np.full(n, 1e308))"),
        "more than 100000 times",
    ),
    "a matrix beyond all measure": (
        part("1.0", "Quadratic(0.0, np.zeros(n), np.eye(n) * 1e308)"),
        "more than 100000 times",
    ),
    "anchors that touch": (
        term(
            "return Term('hostile', (Part('p', 1.0, 0.0, 5e-324, None, Linear(0.0, np.ones(n))),))"
        ),
        "more than 100000 times",
    ),
    "a formula beyond all measure": (
        term(
            "return Term('hostile', (Part('p', 1.0, 0.0, 1.0, lambda weights, cash: 1e308, "
            "BlackBox(None)),))"
        ),
        "more than 100000 times",
    ),
    "names an unknown symbol": (selling("'ZZ'"), "ZZ, which is not in the planning set"),
    "wants NaN": (selling(weight="np.nan"), "finite number"),
    "wants the wrong sign": (selling(weight="0.01"), "signs do not match"),
    "weighs too much": (selling(priority="3.0"), "outside 0..2"),
    "writes numbers into a sentence": (
        calculator(
            "return [Candidate(Side.SELL, ctx.symbols[0], (-0.01,), 1.0, say('7 percent'))]"
        ),
        "number in its template",
    ),
    "returns no candidates": (
        calculator("return ['sell everything']"),
        "a str where a Candidate is due",
    ),
    "returns nothing": (calculator("return None"), "a NoneType where a list is due"),
    "changes a weight": (
        calculator("object.__setattr__(ctx, 'value', 1.0); return []"),
        "changed its input, the context",
    ),
    "opens an array": (
        calculator("ctx.weights.setflags(write=True); return []"),
        "cannot set WRITEABLE",
    ),
    "writes into an array": (calculator("ctx.weights[:] = 0; return []"), "read-only"),
    "rows too narrow": (pattern("return np.zeros((1, 1), dtype=int)"), "rows of 5 indices are due"),
    "rows of floats": (
        pattern("return np.zeros((1, ctx.search.max_depth))"),
        "an array of float64 where int64 is due",
    ),
    "rows of objects": (
        pattern("return np.array([[object()]])"),
        "an array of object where int64 is due",
    ),
    "rows out of range": (
        pattern("return np.full((1, ctx.search.max_depth), 10_000)"),
        "names candidate 10000",
    ),
    "changes the table": (pattern("candidates.__dict__['ids'] = (); return []"), "the table"),
    "breaks off": (generator("yield seeds[:0]\nraise KeyError('gone')"), "KeyError"),
    "drops without a reason": (
        sieve("mask", "return Ruling(np.zeros(candidates.m, dtype=bool), {})"),
        "without a reason",
    ),
    "a mask too short": (
        sieve("mask", "return Ruling(np.zeros(1, dtype=bool), {})"),
        "a mask of shape (1,)",
    ),
    "drops what is not there": (
        sieve(
            "mask",
            "return Ruling(np.ones(candidates.m, dtype=bool), "
            "{9999: Drop('r', None, None, say('so'))})",
        ),
        "drops order 9999",
    ),
    "pairs of another size": (
        sieve("pairs", "return np.zeros((1, 1), dtype=bool)"),
        "a table of pairs of shape (1, 1)",
    ),
    "keeps orders from themselves": (
        sieve("pairs", "return np.ones((candidates.m,) * 2, dtype=bool)"),
        "apart from itself",
    ),
    "is no predicate": (sieve("rows", "return 1"), "a int where a function is due"),
    "answers once for all": (sieve("rows", "return lambda rows: True"), "an answer of shape ()"),
    "a part that is not concave": (
        part("1.0", "Quadratic(0.0, np.zeros(n), -np.eye(n))"),
        "not concave",
    ),
    "a part that is not finite": (part("1.0", "Linear(0.0, np.full(n, np.nan))"), "not finite"),
    "shares that do not sum": (part("0.5", "Linear(0.0, np.zeros(n))"), "sum to 0.5"),
    "another name": (
        term("return Term('quality', (linear_part('p', 1.0, (0.0, 1.0), np.zeros(n - 1), 0.0),))"),
        "the name of the module is due",
    ),
    "a shape of its own": (part("1.0", "'round'"), "a str where a Linear or Quadratic or"),
    "a shape that nobody knows to be concave": (
        term("""
            from steelyard.modules.terms import Separable
            shape = Separable(np.negative, np.negative)
            return Term('hostile', (Part('p', 1.0, 0.0, 1.0, None, shape),))
        """),
        "plugin's part is Linear",
    ),
    "a formula that gives out": (
        term("""
            seen = []
            def raw(weights, cash):
                seen.append(1)
                if len(seen) > 4: raise ZeroDivisionError
                return 0.0
            return Term('hostile', (Part('p', 1.0, 0.0, 1.0, raw, BlackBox(None)),))
        """),
        "ZeroDivisionError",
    ),
}
"""Calls that break the contract and leave the worker alive: all of them in one plugin."""


@pytest.mark.parametrize(("text", "why"), ENDING.values(), ids=ENDING)
def test_a_plugin_that_ends_its_worker_costs_only_itself(tmp_path, text, why):
    plan = plan_of(tmp_path, text)

    assert ".hostile failed: " in failure(plan)
    assert why in failure(plan)
    assert outcome(plan) == outcome(clean())
    assert plan.reproducible
    assert workers() == set()


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    """One plan with every module of `BREAKING`, of a few plugins: one may have fifty."""
    texts = [
        text.replace("'hostile'", f"'hostile_{k}'").replace('"hostile"', f'"hostile_{k}"')
        for k, (text, _) in enumerate(BREAKING.values())
    ]
    files = {"plugin.py": "".join(texts[:30]), "further.py": "".join(texts[30:])}
    with plugins(tmp_path_factory.mktemp("plugins"), files) as loaded:
        assert loaded.problems == ()
        return planned(BUSY, loaded, weight=0.05)


def test_each_module_that_breaks_its_contract_is_named_with_what_it_did(broken):
    messages = {
        problem.module.rpartition("_")[2]: (problem.code, problem.message)
        for problem in broken.problems
        if problem.module
    }
    silent = {
        name: messages.get(str(number))
        for number, (name, (_, why)) in enumerate(BREAKING.items())
        if messages.get(str(number), ("", ""))[0] != "module_failed"
        or why not in messages[str(number)][1]
    }

    assert silent == {}


def test_that_many_broken_modules_change_no_trade_and_no_figure(broken):
    assert outcome(broken) == outcome(clean())
    assert broken.reproducible


def test_the_inputs_are_the_same_with_and_without_a_plugin_that_writes_into_them(tmp_path):
    plans = []
    for body in ("return []", "object.__setattr__(ctx, 'value', 1.0); return []"):
        with plugins(tmp_path, {"plugin.py": calculator(body)}) as loaded:
            (module,) = every(loaded)
            # the two files differ, and that they do is an input of the plan: leave it out
            modules = {**loaded.modules, module.kind: (replace(module, digest=None),)}
            plans.append(planned(BUSY, replace(loaded, modules=modules)))

    assert plans[0].inputs_sha256 == plans[1].inputs_sha256
    assert "changed its input" in plans[1].problems[0].message


def test_rank_filters_that_give_no_order_cost_only_themselves(tmp_path):
    text = sieve("rank", "return Ranking(lambda rows: np.where(rows[:, 0] < 0, 0.0, np.nan), 10)")
    plan = plan_of(tmp_path, text, PROPOSING)

    assert any("no number that can be ordered" in problem.message for problem in plan.problems)
    assert outcome(plan) == outcome(clean(proposals=True))


LATE = {
    "sleeps": calculator("time.sleep(60)"),
    "works": calculator("while True: pass"),
    "sleeps in the stream": generator("yield seeds[:0]\ntime.sleep(60)"),
    "streams without end": generator("while True:\n    time.sleep(0.05)\n    yield seeds[:0]"),
    "ignores signals": calculator(
        "signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals)); time.sleep(60)"
    ),
    "dawdles as a predicate": sieve(
        "rows", "def ask(rows):\n    time.sleep(0.1)\n    return rows[:, 0] < 10_000\nreturn ask"
    ),
}


@pytest.mark.parametrize("text", LATE.values(), ids=LATE)
def test_a_plugin_that_takes_too_long_is_ended_and_the_plan_says_that_it_need_not_repeat(
    tmp_path, text
):
    start = time.monotonic()
    plan = plan_of(tmp_path, text, seconds=0.25)

    assert time.monotonic() - start < 20
    assert any("plugins.seconds" in problem.message for problem in plan.problems)
    assert outcome(plan) == outcome(clean())
    assert not plan.reproducible
    assert workers() == set()


def test_a_formula_that_says_something_else_each_time_is_asked_once_for_each_end_state(tmp_path):
    text = term("""
        asked = []
        def raw(weights, cash):
            asked.append(1)
            return 0.001 * len(asked)
        return Term('hostile', (Part('p', 1.0, 0.0, 1.0, raw, BlackBox(None)),))
    """)
    assert ran(plan_of(tmp_path, text, weight=0.05), "hostile") == [("ok", 1)]


def test_calculators_that_ask_for_too_much_cost_only_themselves(tmp_path):
    many = (
        "return [Candidate(Side.SELL, ctx.symbols[0], (-0.01 - 1e-6 * k,), 1.0, say('so')) for k in"
        " range({count})]"
    )
    # each is under the limit of 2,000 by itself
    text = calculator(many.format(count=1500)) + calculator(many.format(count=1200)).replace(
        "hostile", "other"
    )
    # the table is what is searched here; in scope `quantities` too large a table is only cut
    table = replace(BUSY, strategy=replace(BUSY.strategy, search=Search(scope="candidates")))
    plan = plan_of(tmp_path, text, world=table)

    assert "hostile failed: it asks for 1,500 of 2," in failure(plan)
    assert ran(plan, "other") == [("ok", 1200)]


def test_a_pattern_may_have_variants(tmp_path):
    text = pattern(
        "return {'calm': np.array([[0] + [PAD] * (ctx.search.max_depth - 1)]), 'wild': []}"
    )
    plan = plan_of(tmp_path, text)

    assert ran(plan, "hostile") == [("ok", 1)]
    assert outcome(plan) == outcome(clean())


FORGED = """
import json, struct

def forge(number):
    answer = {"call": number, "value": {"candidates": []}, "fault": None, "arrays": []}
    text = json.dumps(answer).encode()
    frame = struct.pack(">I", len(text)) + text
    for handle in range(3, 20):
        try: os.write(handle, struct.pack(">Q", len(frame)) + frame)
        except OSError: pass
    time.sleep(0.2)
"""


def test_an_answer_to_another_question_is_refused_and_none_is_taken_for_the_next_one(tmp_path):
    forging = FORGED + calculator("forge(0); return []")
    plan = plan_of(tmp_path, forging + selling().replace("hostile", "neighbour"))

    assert ran(plan, "hostile", "neighbour") == [("failed", None), ("ok", 1)]
    assert "it answered another question" in failure(plan)


def test_random_numbers_drawn_without_a_seed_are_the_same_in_every_plan(tmp_path):
    text = "import random\n" + selling(
        "random.choice(ctx.symbols[:5])", "-0.05 * random.random() - 0.001"
    )
    with plugins(tmp_path, {"plugin.py": text}) as loaded:
        (module,) = every(loaded)
        first, *others = [module.call(context("A B C D E"), module.params()) for _ in range(4)]

    assert others == [first] * 3


NOTHING = calculator("return []")

AT_LOAD = {
    "raises": ("raise ValueError('no luck')", "ValueError: no luck (p0.py line 15)"),
    "is no Python": ("def broken(:", "SyntaxError"),
    "exits": ("sys.exit()", "SystemExit"),
    "exits at once": ("os._exit(0)", "exit code 0"),
    "registers nothing": ("", "registers no module"),
    "has the name of a built-in": (
        NOTHING.replace('"hostile"', '"averaging_down"'), "registered already: 2.",
    ),
    "needs another Python": (
        NOTHING.replace("params=Params", "params=Params, requires_python='>=99'"),
        "needs Python >=99",
    ),
    "has a parameter without a default": (
        "class Params(ModuleParams):\n    x: int\n" + NOTHING, "hostile.x has no default",
    ),
    "has a parameter that cannot be checked": (
        "import datetime\nclass Params(ModuleParams):\n    x: datetime.date = datetime.date(2020, "
        "1, 1)\n" + NOTHING,
        "hostile.x is described with format",
    ),
    "has a default that is no number": (
        "class Params(ModuleParams):\n    x: float = float('nan')\n" + NOTHING,
        "the parameters of hostile cannot be read",
    ),
    "has a default out of range": (
        "class Params(ModuleParams):\n    x: Annotated[int, Field(ge=1)] = 0\n" + NOTHING,
        "the parameters of hostile cannot be read",
    ),
}  # fmt: skip


def test_plugins_that_cannot_be_loaded_are_problems_of_every_plan(tmp_path):
    files = {f"p{number}.py": text for number, (text, _) in enumerate(AT_LOAD.values())}
    with plugins(tmp_path, files) as loaded:
        plan = planned(BUSY, loaded)

    assert every(loaded) == []
    messages = [
        [problem.message for problem in plan.problems if f"plugin {name} " in problem.message]
        for name in files
    ]
    silent = {
        name: message
        for (name, (_, why)), message in zip(AT_LOAD.items(), messages, strict=True)
        if len(message) != 1 or why not in message[0]
    }
    assert silent == {}
    assert outcome(plan) == outcome(clean())
    assert workers() == set()


def test_a_plugin_that_hangs_while_it_is_loaded_is_ended(tmp_path):
    with plugins(tmp_path, {"plugin.py": "time.sleep(60)"}, seconds=0.25) as loaded:
        plan = planned(BUSY, loaded)

    (problem,) = loaded.problems
    assert problem.code == "plugin_late"
    assert "longer than 0.25 s" in problem.message
    assert outcome(plan) == outcome(clean())
    assert workers() == set()


def test_a_module_that_writes_and_then_fails_leaves_its_neighbours_inputs_as_they_were(tmp_path):
    vandal = calculator("object.__setattr__(ctx, 'symbols', ()); raise ValueError")
    neighbour = selling().replace("hostile", "neighbour")

    assert ran(plan_of(tmp_path, vandal + neighbour), "hostile", "neighbour") == [
        ("failed", None),
        ("ok", 1),
    ]


def test_a_call_that_fails_before_it_begins_does_not_leave_an_old_context_behind(tmp_path):
    text = """
    class Params(ModuleParams):
        most: int = 1

        def model_post_init(self, _):
            if self.most > 1: raise ValueError("too many")

    @opportunity_calculator("first", version="1.0.0", params=Params)
    def first(ctx, params):
        return [Candidate(Side.SELL, ctx.symbols[0], (-0.1,), 1.0, say("so"))]
    """
    with plugins(tmp_path, {"plugin.py": text}) as loaded:
        (module,) = every(loaded)
        first, second = context("A B"), context("C D")

        assert module.call(first, module.params())[0].symbol == "A"
        with pytest.raises(
            ModuleError, match=r"^its parameters cannot be used: Value error, too many$"
        ):
            module.call(second, module.params.model_construct(most=2))
        assert module.call(second, module.params())[0].symbol == "C"


def test_one_plugin_can_neither_break_nor_patch_another(tmp_path):
    files = {
        "vandal.py": (
            "import steelyard.modules.context\nsteelyard.modules.context.Context = "
            "None\nsteelyard.modules.registry._MODULES = None\nraise SystemExit"
        ),
        "sound.py": selling(),
    }
    with plugins(tmp_path, files) as loaded:
        plan = planned(BUSY, loaded)

    assert [problem.message for problem in loaded.problems if "vandal.py" in problem.message]
    assert ran(plan, "hostile") == [("ok", 1)]


def test_what_a_plugin_says_cannot_write_to_a_terminal(tmp_path):
    text = calculator("raise ValueError('a\\x1b[2Jb\\nc\\u202e' + 'x' * 10_000)")
    message = failure(plan_of(tmp_path, text))

    assert message.isprintable()
    assert len(message) < 800


def test_a_worker_that_ended_is_started_again_three_times_and_then_no_more(tmp_path):
    with plugins(tmp_path, {"plugin.py": calculator("os._exit(1)")}) as loaded:
        messages = [planned(BUSY, loaded).problems[0].message for _ in range(5)]

    assert ["exit code 1" in message for message in messages] == [True] * 4 + [False]
    assert "not started again" in messages[4]


def test_a_plugin_finds_neither_keys_nor_the_folder_of_the_user(tmp_path, monkeypatch):
    monkeypatch.setenv("BROKER_KEY", "secret")
    text = calculator(
        "raise ValueError(sorted(os.environ), os.getcwd(), os.readlink('/proc/self/fd/0'))"
    )
    message = failure(plan_of(tmp_path, text))

    assert "BROKER" not in message
    assert "HOME" not in message
    assert str(Path.cwd()) not in message
    assert "'/', '/dev/null')" in message


def test_what_a_plugin_prints_goes_nowhere(tmp_path, capfd):
    text = "print('hello')\n" + calculator("print('x' * 1000, file=sys.stderr); return []")

    assert ran(plan_of(tmp_path, text), "hostile") == [("nothing", 0)]
    assert capfd.readouterr() == ("", "")


def test_workers_end_with_the_planner_even_when_it_is_killed(tmp_path):
    (tmp_path / "plugin.py").write_text(
        "from steelyard import *\nimport sys\n"
        + calculator("return []").replace("params=Params", "params=ModuleParams")
    )
    code = (
        "import sys, time, hashlib, pathlib; from steelyard.modules.plugins import load_plugins; "
        "from steelyard.settings import Plugins\nfolder = pathlib.Path(sys.argv[1]); "
        "pin = 'sha256:' + hashlib.sha256((folder / 'plugin.py').read_bytes()).hexdigest()\n"
        "loaded = load_plugins(Plugins(folder=str(folder), files={'plugin.py': pin}), "
        "None)\nprint(len(loaded.modules['opportunity_calculators']), flush=True); "
        "time.sleep(60)\n"
    )
    planner = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert planner.stdout is not None
    assert planner.stdout.readline() == "1\n"
    ours = workers(planner.pid)
    assert len(ours) == 1

    planner.send_signal(signal.SIGKILL)
    planner.wait()
    planner.stdout.close()

    assert wait_until(lambda: not ours & workers(1, planner.pid, os.getpid()))
