"""--index: the regime of the user's own index, of the bundled one, and of one that is too old."""

import json
from pathlib import Path

import pytest

from builders.commands import of_sample, run
from steelyard.samples import sample

FOLLOWING = "[pattern_generators.market_regime]\nenabled = true\n"


@pytest.fixture(autouse=True)
def strategy(folder: Path) -> None:
    """A strategy that asks for the regime."""
    (folder / "s.toml").write_text(FOLLOWING)


def planned(*arguments: object) -> dict:
    result = run("plan", "--json", "--strategy", "s.toml", *arguments)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_the_bundled_portfolio_has_the_bundled_index():
    document = planned()

    assert document["regime"]["observations"] > 4000
    assert document["regime"]["name"] != "unknown"


def test_own_files_have_the_index_that_is_named():
    assert (
        planned(*of_sample("growth"), "--index", sample("growth").index)["regime"]
        == planned()["regime"]
    )


def test_own_files_without_an_index_have_no_regime_and_say_how_to_give_one():
    document = planned(*of_sample("growth"))

    assert document["regime"] == {"name": "unknown", "distance": None, "observations": 0}
    assert [
        warning["code"] for warning in document["warnings"] if "--index" in warning["message"]
    ] == ["regime_unknown"]


def test_an_index_goes_with_the_bundled_portfolio_too_and_an_old_one_tells_nothing(folder: Path):
    days = [f"2020-{month:02d}-{day:02d}" for month in range(1, 11) for day in range(1, 29)]
    (folder / "old.csv").write_text("date,SPY\n" + "\n".join(f"{day},100" for day in days))

    document = planned("--index", "old.csv")

    assert document["regime"] == {"name": "unknown", "distance": None, "observations": 280}
    messages = [
        warning["message"]
        for warning in document["warnings"]
        if warning["code"] == "regime_unknown"
    ]
    assert len(messages) == 1
    assert "max_stale_sessions" in messages[0]
