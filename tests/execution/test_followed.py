"""A run as somebody follows it: killed, priced again, halted; what its page says then."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from builders.trading import SOON, Stage, staged
from steelyard.execution import halt
from steelyard.execution.comparing import agree
from steelyard.execution.followed import Followed, followed
from steelyard.execution.interrupted import interruptions
from steelyard.execution.journal.opening import open_to_look
from steelyard.execution.states import Outcome
from steelyard.execution.trade import trade
from steelyard.report.exhibits.following import at_broker_words, following
from steelyard.runs.last_runs import last_runs

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def swap(home: Path) -> Stage:
    """Sell 50 AA, buy 50 BB, without any money."""
    targets = {"AA": 0.5, "BB": 0.5}
    return staged(home, "AA 100 @ 100", "BB 0 @ 100", targets=targets, script=SOON)


def seen(stage: Stage) -> Followed:
    with closing(open_to_look(stage.home)) as journal:
        return followed(journal, "last")


def figures(run: Followed) -> dict[str, str]:
    return dict(following(run, NOW).figures)


def test_a_run_whose_process_died_is_interrupted_until_it_is_carried_on(tmp_path):
    stage = swap(tmp_path)
    stage.crash_at("after send")

    last = last_runs(tmp_path)[stage.run.bucket]
    assert last.broken is not None
    assert last.broken.at_broker == 1
    view = following(seen(stage), NOW, broken=last.broken)
    assert view.head.startswith("Interrupted: no runner is there since")
    assert view.head.endswith("one order may be at the broker")
    assert (view.level, view.urgent) == ("stop", True)
    assert "steelyard resume" in view.banner[0][1]
    assert at_broker_words([seen(stage)]).startswith("One order at the broker now, 5,0")

    with stage.leased():
        assert interruptions(stage.journal, tmp_path, [stage.run]) == {}
    assert stage.recover(crashed=True).outcome is Outcome.DONE
    assert interruptions(stage.journal, tmp_path, [stage.run]) == {}
    assert figures(seen(stage))["Filled"].startswith("all shares filled; ")
    assert at_broker_words([seen(stage)]) == "No order is at the broker now."


def test_an_order_that_is_priced_again_is_not_over(tmp_path):
    stage = swap(tmp_path)
    stage.broker.fills_of("AA", [], [(1, 50)])
    views = []

    def probe(point: str) -> None:
        if point == "after write":
            run = seen(stage)
            views.append((following(run, NOW), figures(run), run.stages))

    with stage.leased() as lease:
        desk = stage.start(lease)
        stage.journal.probe = probe
        trade(desk, agree)
    again = [each for each in views if each[0].lines[0].state == "To be sent again"]
    assert again
    for view, said, stages in again:
        assert view.lines[0].level == "none"
        assert said["Orders over"] == "0 of 2"
        assert next(each.done for each in stages if each.name == "Sell") == 0
    assert not any(view.lines[0].state == "Cancelled" for view, _, _ in views)


def test_a_run_that_was_halted_counts_what_was_sent_and_says_what_it_did_not_reach(tmp_path):
    stage = swap(tmp_path)
    stage.crash_at("after send")
    halt.engage(tmp_path, "odd fills", "eva", NOW)
    stage.recover(crashed=True)

    run = seen(stage)
    stages = {each.name: (each.state, each.done, each.count) for each in run.stages}
    assert stages["Sell"] == ("done", 1, 1)
    assert stages["Buy"] == ("stopped", 0, 1)
    assert run.over, run.run.state
    assert "next" not in {state for state, _, _ in stages.values()}
    assert figures(run)["Orders sent"] == "1 of 2"
