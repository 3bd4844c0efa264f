"""Estimates: the golden vectors, a plain-loop oracle, and the rules in words."""

import csv
import functools
import gzip
import itertools
import json
import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.paths import GOLDEN as golden_folder
from steelyard.errors import InputError
from steelyard.estimates.correlation import complete_correlation, shrunk_correlation
from steelyard.estimates.estimate import (
    METRICS,
    Estimates,
    History,
    drawdown,
    estimate,
    expected_return,
    own_figures,
    quality,
    volatility,
)
from steelyard.samples import sample
from steelyard.settings import Neutral, Score

GOLDEN = json.loads((golden_folder / "scoring_golden.json").read_text())
YEAR = 252
DEFAULTS = Score()
BY_HISTORY = Score(expected_return="history", volatility="756")
NEUTRAL = {"expected_return": 0.065, "volatility": 0.25, "quality": 0.55, "drawdown": 0.40}
seeds = st.integers(0, 2**32 - 1)


def estimated(
    closes, *, settings=BY_HISTORY, yields=None, fundamentals=None, stated=None, adjusted=True
) -> Estimates:
    unknown = np.full(closes.shape[1], np.nan)
    return estimate(
        closes,
        settings=settings,
        dividend_yield=unknown if yields is None else np.array(yields, float),
        fundamental_quality=unknown if fundamentals is None else np.array(fundamentals, float),
        stated_return=unknown if stated is None else np.array(stated, float),
        adjusted=adjusted,
    )


def random_closes(seed, days, names):
    """A market factor and own noise; every name with its own drift, volatility and start."""
    rng = np.random.default_rng(seed)
    moves = rng.normal(0, 0.008, (days, 1)) + rng.normal(0, 1, (days, names)) * rng.uniform(
        0.004, 0.03, names
    )
    return rng.uniform(1, 500, names) * np.exp(
        np.cumsum(moves + rng.normal(0, 3e-4, names), axis=0)
    )


def with_holes(closes, seed):
    """Late listings, early ends and scattered holidays."""
    rng = np.random.default_rng(seed)
    closes = closes.copy()
    days, names = closes.shape
    for i in range(names):
        kind = rng.integers(4)
        if kind == 1:
            closes[: rng.integers(days + 1), i] = np.nan
        elif kind == 2:
            closes[rng.integers(days + 1) :, i] = np.nan
        if kind:
            closes[rng.integers(0, days, rng.integers(12)), i] = np.nan
    return closes


def alone(closes):
    """One security."""
    return History.of(closes[None, :])


def smallest_eigenvalue(matrix):
    return float(np.linalg.eigvalsh(matrix)[0]) if len(matrix) else 1.0


def same(a: Estimates, b: Estimates) -> bool:
    figures = all(
        np.array_equal(getattr(a, m), getattr(b, m)) and np.array_equal(a.missing[m], b.missing[m])
        for m in METRICS
    )
    return figures and a.shrinkage == b.shrinkage


# the golden vectors, on real closes


@functools.cache
def bundled_closes():
    """(dates, symbols, closes) as the file has them: the importers have tests of their own."""
    with gzip.open(sample("growth").prices, "rt", encoding="utf-8", newline="") as file:
        (_, *symbols), *rows = csv.reader(file)
    closes = np.array([[float(cell) if cell else np.nan for cell in row[1:]] for row in rows])
    return [row[0] for row in rows], symbols, closes


@pytest.mark.real_quotes
@pytest.mark.parametrize("case", GOLDEN["estimators"]["cases"], ids=lambda case: case["as_of"])
def test_the_golden_estimates_of_real_closes_are_reproduced(case):
    dates, symbols, table = bundled_closes()
    until = dates.index(case["as_of"]) + 1

    figures = estimated(table[:until, [symbols.index(symbol) for symbol in case["symbols"]]])

    for metric, key in (
        ("expected_return", "mu"),
        ("volatility", "vol"),
        ("correlation", "corr"),
        ("quality",) * 2,
        ("drawdown",) * 2,
    ):
        np.testing.assert_allclose(getattr(figures, metric), case[key], rtol=0, atol=1e-6)
    assert figures.shrinkage == pytest.approx(case["delta"], abs=1e-6)
    assert all(flags.tolist() == case["missing"] for flags in figures.missing.values())


def test_the_default_settings_are_those_of_the_golden_vectors():
    options = GOLDEN["options"]

    assert DEFAULTS.neutral == Neutral(**options["neutral"])
    assert (DEFAULTS.risk_free, DEFAULTS.equity_premium) == (
        options["risk_free"],
        options["equity_premium"],
    )
    assert DEFAULTS.risk_free + DEFAULTS.equity_premium == DEFAULTS.neutral.mu


# a second implementation: loops over lists of numbers, nothing shared


def own(column):
    return [x for x in column if not math.isnan(x)]


def logs(prices):
    return [math.log(b / a) for a, b in itertools.pairwise(prices)]


def plain_volatility(prices):
    moves = logs(prices)
    if len(moves) < YEAR:
        return None
    spread = statistics.stdev(moves) * math.sqrt(YEAR)
    return spread if spread > 1e-8 else None


def plain_expected_return(column):
    prices = own(column[-2521:])
    spread = plain_volatility(prices)
    if spread is None:
        return None
    years = (len(prices) - 1) / YEAR
    growth = (prices[-1] / prices[0]) ** (1 / years) - 1
    trust = 0.0009 / (0.0009 + spread * spread / years)
    return 0.065 * (1 - trust) + growth * trust


def plain_falls(prices):
    high, falls = 0.0, []
    for price in prices:
        high = max(high, price)
        falls.append((high - price) / high)
    return falls


def plain_quality(column):
    ten, five = own(column[-2521:]), own(column[-1261:])
    if plain_volatility(five) is None:
        return None
    wins, end = [], len(ten) - 1
    while end >= YEAR:
        wins.append(1.0 if ten[end] > ten[end - YEAR] else 0.0)
        end -= 21
    hurdle = math.log(1.02) / YEAR
    over = [move - hurdle for move in logs(five)]
    downside = math.sqrt(math.fsum(min(x, 0) ** 2 for x in over) / len(over)) * math.sqrt(YEAR)
    sortino = math.fsum(over) / len(over) * YEAR / downside if downside else math.inf
    mapped = min(max((sortino + 0.5) / 2, 0), 1)
    near = sum(fall <= 0.1 for fall in plain_falls(ten)) / len(ten)
    raw = (
        0.4 * statistics.fmean(wins) + 0.3 * mapped + 0.3 * near
        if len(ten) - 1 >= 2 * YEAR
        else (mapped + near) / 2
    )
    years = (len(ten) - 1) / YEAR
    return 0.55 + years / (years + 5) * (raw - 0.55)


def plain_drawdown(column):
    prices = own(column[-1260:])
    return None if plain_volatility(prices) is None else max(plain_falls(prices))


def plain_shrinkage(columns):
    """(known names, shrunk matrix, delta) of the last 757 rows."""
    rows = [column[-757:] for column in columns]
    returns = [[math.log(b) - math.log(a) for a, b in itertools.pairwise(row)] for row in rows]
    counts = [sum(not math.isnan(x) for x in moves) for moves in returns]
    usable = [i for i, count in enumerate(counts) if count >= YEAR]
    while usable:
        days = [
            t for t in range(len(returns[0])) if not any(math.isnan(returns[i][t]) for i in usable)
        ]
        if len(days) < YEAR:
            fewest = min(counts[i] for i in usable)
            usable = [i for i in usable if counts[i] > fewest]
            continue
        still = [
            i
            for i in usable
            if statistics.pstdev([returns[i][t] for t in days]) * math.sqrt(YEAR) <= 1e-8
        ]
        if not still:
            break
        usable = [i for i in usable if i not in still]
    if len(usable) < 2:
        return usable, [[1.0] for _ in usable], 0.0
    m, k = len(days), len(usable)
    z = []
    for i in usable:
        moves = [returns[i][t] for t in days]
        centre, spread = statistics.fmean(moves), statistics.pstdev(moves)
        z.append([(x - centre) / spread for x in moves])
    pairs = [(i, j) for i in range(k) for j in range(k)]
    s = {
        (i, j): 1.0 if i == j else math.fsum(a * b for a, b in zip(z[i], z[j], strict=True)) / m
        for i, j in pairs
    }
    mean = math.fsum(s[i, j] for i, j in pairs if i != j) / (k * (k - 1))
    pi = {
        (i, j): math.fsum((a * b - s[i, j]) ** 2 for a, b in zip(z[i], z[j], strict=True)) / m
        for i, j in pairs
    }
    cross = math.fsum(
        math.fsum((a * a - 1) * (a * b - s[i, j]) for a, b in zip(z[i], z[j], strict=True)) / m
        for i, j in pairs
        if i != j
    )
    gamma = math.fsum((s[i, j] - mean) ** 2 for i, j in pairs if i != j)
    rho = math.fsum(pi[i, i] for i in range(k)) + mean * cross
    delta = 0.0 if k == 2 else min(max((math.fsum(pi.values()) - rho) / (gamma * m), 0.0), 1.0)
    return (
        usable,
        [
            [1.0 if i == j else delta * mean + (1 - delta) * s[i, j] for j in range(k)]
            for i in range(k)
        ],
        delta,
    )


@given(
    seed=seeds,
    days=st.sampled_from([1, 2, 252, 253, 400, 504, 505, 757, 900, 1300, 2521, 2600]),
    names=st.integers(1, 4),
)
def test_loops_over_plain_numbers_give_the_same_estimates(seed, days, names):
    closes = with_holes(random_closes(seed, days, names), seed)
    columns = [closes[:, i].tolist() for i in range(names)]

    figures = estimated(closes)

    for metric, plain in (
        ("expected_return", plain_expected_return),
        ("quality", plain_quality),
        ("drawdown", plain_drawdown),
    ):
        due = [plain(column) for column in columns]
        assert figures.missing[metric].tolist() == [x is None for x in due]
        np.testing.assert_allclose(
            getattr(figures, metric), [NEUTRAL[metric] if x is None else x for x in due], rtol=0,
            atol=1e-10,
        )  # fmt: skip
    due = [plain_volatility(own(column[-757:])) for column in columns]
    np.testing.assert_allclose(
        figures.volatility, [0.25 if x is None else x for x in due], rtol=0, atol=1e-12
    )
    usable, matrix, delta = plain_shrinkage(columns)
    assert np.flatnonzero(~figures.missing["correlation"]).tolist() == usable
    assert figures.shrinkage == pytest.approx(delta, abs=1e-9)
    if usable:
        np.testing.assert_allclose(
            figures.correlation[np.ix_(usable, usable)], matrix, rtol=0, atol=1e-9
        )


# the table: order, layout, what lies outside the windows


@given(seed=seeds, days=st.integers(300, 2521), future=st.integers(1, 300), names=st.integers(1, 5))
def test_cutting_off_the_future_leaves_no_trace(seed, days, future, names):
    past = with_holes(random_closes(seed, days, names), seed)
    table = np.asfortranarray(np.vstack([past, random_closes(seed + 1, future, names)]))

    assert same(estimated(table[:days]), estimated(past))


@given(seed=seeds, older=st.integers(1, 600), names=st.integers(1, 5))
def test_history_older_than_ten_years_changes_nothing(seed, older, names):
    ten_years = with_holes(random_closes(seed, 2521, names), seed)
    longer = np.vstack([random_closes(seed + 1, older, names), ten_years])

    assert same(estimated(longer), estimated(ten_years))


def test_the_oldest_close_of_the_ten_years_counts():
    closes = random_closes(7, 2521, 2)
    moved = closes.copy()
    moved[0, 0] *= 1.001

    assert estimated(moved).expected_return[0] < estimated(closes).expected_return[0]


@given(seed=seeds, days=st.integers(1, 1000), names=st.integers(2, 7), data=st.data())
def test_the_order_of_the_columns_does_not_matter(seed, days, names, data):
    closes = with_holes(random_closes(seed, days, names), seed)
    order = data.draw(st.permutations(range(names)))

    single, other = estimated(closes), estimated(closes[:, order])

    for metric in METRICS:
        assert np.array_equal(other.missing[metric], single.missing[metric][order])
    for metric in ("expected_return", "volatility", "quality", "drawdown"):
        assert np.array_equal(getattr(other, metric), getattr(single, metric)[order])
    np.testing.assert_allclose(
        other.correlation, single.correlation[np.ix_(order, order)], rtol=0, atol=1e-12
    )
    assert other.shrinkage == pytest.approx(single.shrinkage, abs=1e-12)


@given(
    seed=seeds,
    days=st.sampled_from([1, 252, 400, 600, 900]),
    names=st.integers(1, 150),
    data=st.data(),
)
def test_the_figures_of_a_security_do_not_hang_on_what_stands_beside_it(seed, days, names, data):
    closes = with_holes(random_closes(seed, days, names), seed)
    some = data.draw(st.lists(st.integers(0, names - 1), min_size=1, max_size=5))
    settings = Score(expected_return="history", volatility="mixed")
    yields = np.linspace(0, 0.05, names)

    whole = own_figures(closes, yields, settings)
    part = own_figures(closes[:, some], yields[some], settings)

    assert part.tobytes() == np.ascontiguousarray(whole[:, some]).tobytes()


@given(seed=seeds, names=st.integers(1, 4), scale=st.sampled_from([2.0**-20, 0.5, 1024.0]))
def test_the_unit_of_money_does_not_matter(seed, names, scale):
    closes = with_holes(random_closes(seed, 800, names), seed)

    single, other = estimated(closes), estimated(closes * scale)

    for metric in METRICS:
        assert np.array_equal(other.missing[metric], single.missing[metric])
        np.testing.assert_allclose(
            getattr(other, metric), getattr(single, metric), rtol=0, atol=1e-9
        )


def test_the_callers_table_is_not_changed_and_the_results_cannot_be():
    closes = random_closes(3, 400, 3)
    before = closes.copy()

    figures = estimated(closes)

    assert np.array_equal(closes, before)
    assert not any(
        getattr(figures, m).flags.writeable or figures.missing[m].flags.writeable for m in METRICS
    )


# what is missing


@given(seed=seeds, days=st.sampled_from([0, 1, 2, 3, 252, 253, 300, 800]), names=st.integers(0, 6))
def test_nothing_is_ever_nan_whatever_is_missing(seed, days, names):
    figures = estimated(
        with_holes(random_closes(seed, days, names), seed) if days else np.empty((0, names))
    )

    for metric in METRICS:
        assert np.isfinite(getattr(figures, metric)).all()
        assert figures.missing[metric].shape == (names,)
    assert figures.correlation.shape == (names, names)
    assert 0 <= figures.shrinkage <= 1


def test_251_returns_are_too_few_and_252_are_enough():
    closes = random_closes(1, 253, 1)

    assert not any(flags.any() for flags in estimated(closes).missing.values())
    assert all(flags.all() for flags in estimated(closes[1:]).missing.values())


@given(
    seed=seeds,
    names=st.integers(2, 6),
    gone=st.integers(0, 5),
    why=st.sampled_from(["none", "short", "constant", "even growth"]),
)
def test_a_security_without_history_is_exactly_neutral_and_changes_no_other(seed, names, gone, why):
    gone %= names
    closes = random_closes(seed, 700, names)
    others = [i for i in range(names) if i != gone]
    alone = estimated(closes[:, others])
    closes[:, gone] = {
        "none": np.nan, "short": np.where(np.arange(700) < 448, np.nan, closes[:, gone]),
        "constant": 17.0, "even growth": 17.0 * np.exp(2e-4 * np.arange(700)),
    }[why]  # fmt: skip

    figures = estimated(closes)

    for metric, neutral in NEUTRAL.items():
        assert getattr(figures, metric)[gone] == neutral
        assert np.array_equal(getattr(figures, metric)[others], getattr(alone, metric))
    for flags in figures.missing.values():
        assert np.flatnonzero(flags).tolist() == [gone]
    np.testing.assert_allclose(
        figures.correlation[np.ix_(others, others)], alone.correlation, rtol=0, atol=1e-12
    )


def test_a_security_that_stood_still_for_three_years_lacks_only_volatility_and_correlation():
    closes = random_closes(5, 2521, 3)
    closes[-757:, 1] = closes[-757, 1]

    figures = estimated(closes)

    assert {m: flags.tolist() for m, flags in figures.missing.items() if flags.any()} == {
        "volatility": [False, True, False],
        "correlation": [False, True, False],
    }


def test_a_holiday_of_its_own_makes_one_longer_return():
    closes = random_closes(5, 600, 1)
    holiday = closes.copy()
    holiday[300] = np.nan

    assert same(estimated(holiday), estimated(np.delete(closes, 300, axis=0)))


def test_correlation_uses_days_that_all_known_securities_have():
    closes = random_closes(5, 700, 3)
    holiday = closes.copy()
    holiday[300, 1] = np.nan
    returns = np.delete(np.diff(np.log(closes), axis=0), [299, 300], axis=0)

    np.testing.assert_allclose(
        estimated(holiday).correlation, shrunk_correlation(returns.T)[0], rtol=0, atol=1e-12
    )


def test_of_two_securities_that_never_traded_together_the_one_with_fewer_days_is_missing():
    closes = random_closes(5, 757, 3)
    closes[300:, 0] = np.nan
    closes[:310, 1] = np.nan

    figures = estimated(closes)

    assert figures.missing["correlation"].tolist() == [True, False, False]
    assert not figures.missing["volatility"].any()


def test_two_securities_of_equal_length_that_never_traded_together_are_both_missing():
    closes = random_closes(5, 600, 2)
    closes[300:, 0] = np.nan
    closes[:300, 1] = np.nan

    figures = estimated(closes)

    assert figures.missing["correlation"].all()
    assert figures.correlation[0, 1] == 0.40


def test_a_security_that_moves_only_on_days_that_others_lack_is_missing_in_correlation():
    closes = random_closes(5, 600, 3)
    closes[:, 0] = np.where(np.arange(600) < 300, 10.0, 11.0)
    closes[300, 1] = np.nan

    figures = estimated(closes)

    assert figures.missing["correlation"].tolist() == [True, False, False]
    assert not figures.missing["volatility"].any()


# expected return


@given(
    seed=seeds, days=st.integers(253, 2521), slower=st.floats(-2e-3, 2e-3),
    faster=st.floats(1e-8, 2e-3),
)  # fmt: skip
def test_expected_return_rises_with_past_growth_at_equal_volatility(seed, days, slower, faster):
    moves = np.random.default_rng(seed).normal(0, 0.012, days)
    slow, fast = (
        expected_return(alone(np.exp(np.cumsum(moves + drift))), np.zeros(1), 0.065)[0]
        for drift in (slower, slower + faster)
    )

    assert fast > slow


@given(seed=seeds, days=st.integers(253, 2521))
def test_expected_return_lies_between_the_prior_and_past_growth(seed, days):
    closes = random_closes(seed, days, 1)[:, 0]
    growth = (closes[-1] / closes[0]) ** (YEAR / (days - 1)) - 1

    figures = expected_return(alone(closes), np.zeros(1), 0.065)[0]

    assert min(growth, 0.065) - 1e-12 <= figures <= max(growth, 0.065) + 1e-12


def test_a_higher_risk_free_rate_lifts_the_prior_and_lowers_quality():
    closes = random_closes(4, 1000, 1)
    low, high = (estimated(closes, settings=Score(risk_free=rate)) for rate in (0.02, 0.04))

    assert high.expected_return[0] > low.expected_return[0] + 0.01
    assert high.quality[0] < low.quality[0]


def test_the_prior_is_the_risk_free_rate_plus_the_equity_premium():
    closes = random_closes(2, 253, 1)
    rules = [Score(equity_premium=p, expected_return="history") for p in (0.03, 0.05)]
    low, high = (estimated(closes, settings=rule).expected_return[0] for rule in rules)

    # one year at over 10 % volatility: almost all of the figure is the prior
    assert 0.015 < high - low < 0.02


def test_the_yield_is_added_to_growth_only_if_the_closes_leave_dividends_out():
    closes = random_closes(2, 1000, 3)
    bare = estimated(closes, adjusted=True, yields=[0.01, 0.05, np.nan])
    paid = estimated(closes, adjusted=False, yields=[0.0, 0.05, np.nan])

    trust = 0.03**2 / (0.03**2 + volatility(History.of(closes.T)) ** 2 / (999 / YEAR))
    assert same(bare, estimated(closes))
    np.testing.assert_allclose(
        paid.expected_return - bare.expected_return, trust * [0.0, 0.05, 0.02], rtol=0, atol=1e-12
    )


def test_a_yield_does_not_move_a_security_without_history():
    assert (
        estimated(np.full((400, 1), 5.0), adjusted=False, yields=[0.09]).expected_return[0] == 0.065
    )


# volatility, drawdown, quality


def test_volatility_looks_at_the_last_756_returns_and_drawdown_at_1260_closes():
    closes = random_closes(4, 1400, 1)
    crash = closes.copy()
    crash[:139] *= 1e3  # the fall is into row 139; the last 1,260 closes start at row 140
    wild = closes.copy()
    wild[: 1400 - 757] *= 3

    assert estimated(crash).drawdown[0] == estimated(closes).drawdown[0]
    assert estimated(wild).volatility[0] == estimated(closes).volatility[0]
    crash[140] *= 1e3
    assert estimated(crash).drawdown[0] > 0.99


def test_drawdown_is_the_worst_fall_from_a_running_high():
    closes = np.array([100.0, 120.0, 90.0, 130.0, 104.0] + [110.0] * 250)

    assert drawdown(alone(closes))[0] == pytest.approx(0.25)


def test_a_security_that_rises_every_day_has_no_drawdown_and_the_best_raw_quality():
    closes = np.exp(np.cumsum(np.random.default_rng(1).uniform(0.001, 0.002, 2521)))

    assert drawdown(alone(closes))[0] == 0
    assert quality(alone(closes), alone(closes[-1261:]), 0.02, 0.55)[0] == pytest.approx(
        0.55 + 10 / 15 * 0.45
    )


def test_under_two_years_quality_leaves_out_consistency():
    rising = np.exp(np.cumsum(np.random.default_rng(1).uniform(-0.012, 0.009, 505)))
    longer, shorter = (quality(alone(c), alone(c), 0.02, 0.55)[0] for c in (rising, rising[1:]))

    # the price falls over every year: consistency is 0 and draws quality down as soon as it counts
    assert shorter - longer > 0.005


def test_a_known_fundamental_score_is_the_quality_whatever_the_prices_did():
    closes = random_closes(4, 700, 2)
    from_prices = estimated(closes).quality

    figures = estimated(closes, fundamentals=[0.9, np.nan])

    assert figures.quality.tolist() == [0.9, from_prices[1]]


def test_a_fundamental_score_needs_no_price_history():
    figures = estimated(np.full((1, 2), np.nan), fundamentals=[0.85, np.nan])

    assert figures.quality.tolist() == [0.85, 0.55]
    assert figures.missing["quality"].tolist() == [False, True]


@given(seed=seeds, days=st.integers(253, 1500), names=st.integers(1, 4))
def test_quality_and_drawdown_stay_in_0_to_1_and_volatility_is_positive(seed, days, names):
    figures = estimated(with_holes(random_closes(seed, days, names), seed))

    assert (
        (figures.quality >= 0)
        & (figures.quality <= 1)
        & (figures.drawdown >= 0)
        & (figures.drawdown <= 1)
    ).all()
    assert (figures.volatility > 0).all()


# correlation


@given(
    seed=seeds,
    names=st.integers(1, 8),
    kinds=st.lists(
        st.sampled_from(["known", "known", "missing", "constant", "twin", "mirror"]),
        min_size=8,
        max_size=8,
    ),
    neutral=st.floats(-1, 1),
)
def test_the_matrix_is_a_correlation_matrix_whatever_is_missing(seed, names, kinds, neutral):
    closes = random_closes(seed, 400, names)
    first = closes[:, 0].copy()
    for i, kind in enumerate(kinds[:names]):
        if kind != "known":
            closes[:, i] = {
                "missing": np.nan, "constant": 3.0, "twin": 2 * first, "mirror": 1 / first,
            }[kind]  # fmt: skip

    matrix = estimated(closes, settings=Score(neutral=Neutral(corr=neutral))).correlation

    assert np.array_equal(matrix, matrix.T)
    assert (np.diag(matrix) == 1).all()
    assert (np.abs(matrix) <= 1 + 1e-12).all()
    assert smallest_eigenvalue(matrix) >= -1e-12


@pytest.mark.parametrize("missing", [0, 1, 19, 20])
def test_the_matrix_of_twenty_securities_is_positive_definite_with_any_number_missing(missing):
    closes = random_closes(11, 800, 20)
    closes[:, :missing] = np.nan

    figures = estimated(closes)

    assert smallest_eigenvalue(figures.correlation) >= 1e-10
    assert figures.missing["correlation"].sum() == missing


def test_a_missing_security_has_the_mean_known_correlation_with_all_others():
    closes = random_closes(11, 800, 4)
    closes[:, 3] = np.nan

    matrix = estimated(closes).correlation

    assert matrix[3, :3].tolist() == pytest.approx(
        [(matrix[0, 1] + matrix[0, 2] + matrix[1, 2]) / 3] * 3
    )


def test_with_fewer_than_two_known_the_neutral_correlation_stands():
    closes = random_closes(11, 800, 3)
    closes[:, 1:] = np.nan

    figures = estimated(closes)

    assert figures.correlation[np.triu_indices(3, 1)].tolist() == [0.40] * 3
    assert figures.shrinkage == 0


@pytest.mark.parametrize(
    ("neutral", "used"), [(0.9, 0.9), (1.0, 0.5), (-0.9, -0.45), (-1.0, -0.25)]
)
def test_a_correlation_for_the_missing_is_lowered_until_the_matrix_is_positive_definite(
    neutral, used
):
    size = {-0.9: 3, -1.0: 4}.get(neutral, 3)

    matrix = complete_correlation(np.empty((0, 0)), np.zeros(size, bool), neutral)

    assert set(matrix[np.triu_indices(size, 1)]) == {used}


def test_beside_two_identical_securities_a_missing_one_is_uncorrelated():
    matrix = complete_correlation(np.ones((2, 2)), np.array([True, True, False]), 0.4)

    assert matrix.tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 1]]


@given(seed=seeds, names=st.integers(3, 8))
def test_shrinking_keeps_the_mean_and_never_widens_the_spread(seed, names):
    returns = np.random.default_rng(seed).normal(size=(names, 300))
    pairs = np.triu_indices(names, 1)

    shrunk, weight = shrunk_correlation(returns)

    plain = np.asarray(np.corrcoef(returns))
    assert shrunk[pairs].mean() == pytest.approx(plain[pairs].mean(), abs=1e-12)
    assert np.std(shrunk[pairs]) == pytest.approx((1 - weight) * np.std(plain[pairs]), abs=1e-12)


# refusals


@pytest.mark.parametrize("bad", [0.0, -1.0, math.inf, -math.inf])
def test_a_close_that_is_no_price_is_refused(bad):
    closes = random_closes(1, 300, 2)
    closes[100, 1] = bad

    with pytest.raises(InputError, match=r"1 closes .* zero, negative or infinite"):
        estimated(closes)


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(
        ValueError, match=r"dividend_yield has shape \(1,\), but closes have 2 columns"
    ):
        estimated(random_closes(1, 300, 2), yields=[0.1])
    with pytest.raises(ValueError, match=r"fundamental_quality has shape \(3,\)"):
        estimated(random_closes(1, 300, 2), fundamentals=[0.1, 0.2, 0.3])
    with pytest.raises(ValueError, match="closes must be"):
        estimate(
            np.ones(3), settings=DEFAULTS, dividend_yield=np.ones(3),
            fundamental_quality=np.ones(3), stated_return=np.ones(2), adjusted=True,
        )  # fmt: skip


# what is stated, and the last quarter


def test_an_expected_return_that_is_stated_stands_and_nobody_elses_depends_on_history():
    closes, stated = random_closes(5, 1000, 3), [0.04, math.nan, -0.01]
    wrong = []
    for mode, others in (("given", 0.065), ("history", estimated(closes).expected_return[1])):
        rules = Score(expected_return=mode)
        figures = estimated(closes, settings=rules, stated=stated)
        if figures.expected_return.tolist() != [0.04, others, -0.01]:
            wrong.append((mode, figures.expected_return))
        if figures.missing["expected_return"].tolist() != [False, mode == "given", False]:
            wrong.append((mode, figures.missing["expected_return"]))
    assert not wrong
    assert others != 0.065


def test_where_none_is_stated_the_prior_is_the_rule_and_nothing_is_missing():
    closes = random_closes(6, 300, 2)
    closes[:200, 1] = np.nan  # too short for any history

    figures = estimated(closes, settings=Score(equity_premium=0.05))

    assert figures.expected_return.tolist() == [0.07, 0.07]
    assert not figures.missing["expected_return"].any()
    assert figures.missing["volatility"].tolist() == [False, True]


@given(seed=seeds, days=st.integers(253, 1200))
def test_mixed_volatility_is_the_root_mean_square_of_three_years_and_the_last_quarter(seed, days):
    closes = with_holes(random_closes(seed, days, 3), seed)
    mixed = estimated(closes, settings=DEFAULTS)

    for i, column in enumerate(closes.T):
        long, quarter = plain_volatility(own(column[-757:])), logs(own(column[-64:]))
        if long is None:
            assert mixed.missing["volatility"][i]
            continue
        short = statistics.stdev(quarter) * math.sqrt(YEAR) if len(quarter) >= 21 else long
        due = math.sqrt((long**2 + short**2) / 2) if short > 1e-8 else long
        assert mixed.volatility[i] == pytest.approx(due, rel=1e-9)


def test_a_quarter_that_stands_still_or_is_missing_leaves_the_three_years_alone():
    closes = random_closes(7, 900, 3)
    closes[-64:, 0] = closes[-64, 0]
    closes[-64:-15, 1] = np.nan

    mixed, long = estimated(closes, settings=DEFAULTS), estimated(closes)

    assert mixed.volatility[:2].tolist() == long.volatility[:2].tolist()
    assert mixed.volatility[2] != long.volatility[2]


def test_a_wild_quarter_raises_volatility_and_nothing_else():
    closes = random_closes(8, 900, 2)
    wild = closes.copy()
    wild[-63::2, 0] *= 1.05

    calm, shaken = (estimated(c, settings=DEFAULTS) for c in (closes, wild))

    assert shaken.volatility[0] > 1.5 * calm.volatility[0]
    assert shaken.volatility[1] == calm.volatility[1]
