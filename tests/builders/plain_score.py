"""Estimates and the score of the demo once more: plain Python over lists, nothing of the product.

`python tests/builders/plain_score.py` writes `defaults_golden.json` from the bundled files, under
the default options. Under the options of `scoring_golden.json` the same code gives those of that
file, which a test holds: so it is a second implementation of them, and not a copy of the product.
Formulas are those of `docs/scoring.md`, in its order.
"""

from __future__ import annotations

import csv
import gzip
import itertools
import json
import math
from pathlib import Path

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
SAMPLES = GOLDEN.parents[1] / "src" / "steelyard" / "samples"
YEAR = 252
OLD, NEW = ("history", "756"), ("given", "mixed")
DATES = ("2014-12-31", "2019-12-31", "2022-12-28")
FIVE = ("AAPL", "GE", "JNJ", "RRC", "MTUM")
STATED = {"2019-12-31": {"GE": 0.04, "JNJ": 0.085}}
"""Expected returns in the securities file, by date; at the other dates there are none."""
CASH = {"2019-12-31": 6597.0, "2020-12-31": 9021.0, "2022-12-28": 10374.0}
PROFILES = {
    "balanced": (0.35, 0.25, 0.20, 0.15, 0.05),
    "conservative": (0.25, 0.30, 0.20, 0.20, 0.05),
    "aggressive": (0.45, 0.20, 0.25, 0.05, 0.05),
}
NAMES = ("tr", "div", "q", "stab", "inc")


def table():
    """(dates, symbol -> closes, None where there is none)."""
    with gzip.open(SAMPLES / "quotes" / "prices.csv.gz", "rt", encoding="utf-8") as file:
        (_, *symbols), *rows = csv.reader(file)
    closes = {
        s: [float(row[k + 1]) if row[k + 1] else None for row in rows]
        for k, s in enumerate(symbols)
    }
    return [row[0] for row in rows], closes


def mean(values):
    return math.fsum(values) / len(values)


def spread(values, ddof):
    middle = mean(values)
    return math.sqrt(math.fsum((v - middle) ** 2 for v in values) / (len(values) - ddof))


def own(column, rows):
    """Closes of a security within its newest rows, holes left out."""
    return [price for price in column[-rows:] if price is not None]


def returns(closes):
    return [math.log(b / a) for a, b in itertools.pairwise(closes)]


def volatility(column, option):
    long = returns(own(column, 757))
    if len(long) < YEAR:
        return None
    sigma, short = spread(long, 1) * math.sqrt(YEAR), returns(own(column, 64))
    if option == "756" or len(short) < 21:
        return sigma
    return math.sqrt((sigma**2 + (spread(short, 1) * math.sqrt(YEAR)) ** 2) / 2)


def expected(column, option, stated):
    if stated is not None or option == "given":
        return stated
    moves = returns(own(column, 2521))
    if len(moves) < YEAR:
        return None
    years, sigma = len(moves) / YEAR, spread(moves, 1) * math.sqrt(YEAR)
    growth = math.exp(math.fsum(moves) / years) - 1
    return 0.065 + 0.03**2 / (0.03**2 + sigma**2 / years) * (growth - 0.065)


def near_high(closes):
    high, near = 0.0, 0
    for price in closes:
        high = max(high, price)
        near += price >= 0.9 * high
    return near / len(closes)


def quality(column):
    closes, five = own(column, 2521), returns(own(column, 1261))
    if len(five) < YEAR:
        return None
    ends = range(len(closes) - 1, YEAR - 1, -21)
    gains = [closes[k] > closes[k - YEAR] for k in ends]
    free = math.log(1.02) / YEAR
    over = [r - free for r in five]
    down = math.sqrt(mean([min(r, 0.0) ** 2 for r in over]))
    ratio = mean(over) * YEAR / (down * math.sqrt(YEAR))
    parts = (
        mean(gains) if gains else 0.0,
        min(1.0, max(0.0, (ratio + 0.5) / 2)),
        near_high(closes),
    )
    shares = (0.4, 0.3, 0.3) if len(closes) > 2 * YEAR else (0.0, 0.5, 0.5)
    years = (len(closes) - 1) / YEAR
    raw = math.fsum(s * p for s, p in zip(shares, parts, strict=True))
    return 0.55 + years / (years + 5) * (raw - 0.55)


def drawdown(column):
    closes, high, worst = own(column, 1260), 0.0, 0.0
    if len(closes) <= YEAR:
        return None
    for price in closes:
        high = max(high, price)
        worst = max(worst, 1 - price / high)
    return worst


def correlation(columns):
    """(matrix, weight of the constant one): Ledoit and Wolf on standardised returns."""
    cut = [column[-757:] for column in columns]
    usable = [k for k, c in enumerate(cut) if sum(p is not None for p in c) > YEAR]
    days = [
        t for t in range(1, len(cut[0]))
        if all(cut[k][t] is not None and cut[k][t - 1] is not None for k in usable)
    ]  # fmt: skip
    z = []
    for k in usable:
        moves = [math.log(cut[k][t] / cut[k][t - 1]) for t in days]
        middle, sd = mean(moves), spread(moves, 0)
        z.append([(m - middle) / sd for m in moves])
    inner, weight, average = shrunk(z)
    place = {k: i for i, k in enumerate(usable)}
    whole = [
        [
            1.0 if i == j
            else inner[place[i]][place[j]] if i in place and j in place
            else average
            for j in range(len(cut))
        ]
        for i in range(len(cut))
    ]  # fmt: skip
    return whole, weight


def shrunk(z):
    n, days = len(z), len(z[0])
    pairs = [(i, j) for i in range(n) for j in range(n)]
    s = [
        [mean([a * b for a, b in zip(z[i], z[j], strict=True)]) for j in range(n)] for i in range(n)
    ]
    average = mean([s[i][j] for i, j in pairs if i != j])
    target = [[1.0 if i == j else average for j in range(n)] for i in range(n)]
    noise, shared = 0.0, 0.0
    for i, j in pairs:
        both = list(zip(z[i], z[j], strict=True))
        pi = mean([(a * b - s[i][j]) ** 2 for a, b in both])
        noise += pi
        if i == j:
            shared += pi
        else:
            shared += average * mean([(a * a - 1) * (a * b - s[i][j]) for a, b in both])
    misfit = math.fsum((s[i][j] - target[i][j]) ** 2 for i, j in pairs)
    weight = min(1.0, max(0.0, (noise - shared) / (misfit * days)))
    mixed = [[weight * target[i][j] + (1 - weight) * s[i][j] for j in range(n)] for i in range(n)]
    return mixed, weight, average


def figures(closes, symbols, until, options, stated):
    """Every estimate of the symbols from the first `until` rows."""
    columns = [closes[symbol][:until] for symbol in symbols]
    own_view = [stated.get(symbol) for symbol in symbols]
    rows = {
        "mu": [expected(c, options[0], s) for c, s in zip(columns, own_view, strict=True)],
        "vol": [volatility(c, options[1]) for c in columns],
        "quality": [quality(c) for c in columns],
        "drawdown": [drawdown(c) for c in columns],
    }
    stands = {"mu": 0.065, "vol": 0.25, "quality": 0.55, "drawdown": 0.40}
    told = {k: [stands[k] if v is None else v for v in values] for k, values in rows.items()}
    matrix, weight = correlation(columns)
    return {**told, "corr": matrix, "delta": weight}


def demo(dates, closes, as_of, options):
    """The score of holding the demo portfolio, its targets known."""
    held, targets, facts = (rows_of(name) for name in ("holdings", "targets", "securities"))
    symbols, until = [row["symbol"] for row in held], dates.index(as_of) + 1
    worth = [float(r["quantity"]) * closes[r["symbol"]][until - 1] for r in held]
    value = math.fsum(worth) + CASH[as_of]
    w, cash = [v / value for v in worth], CASH[as_of] / value
    aims = {row["symbol"]: float(row["weight"]) for row in targets}
    t = [aims.get(symbol, 0.0) for symbol in symbols]
    info = {row["symbol"]: row for row in facts}
    f = figures(closes, symbols, until, options, {})
    raw = raw_figures(w, cash, t, f, [info[symbol] for symbol in symbols])
    terms = terms_of(raw)
    scores = {
        name: 0.5 * terms["fit"] + 0.5 * math.fsum(
            share * terms[term] for share, term in zip(shares, NAMES, strict=True)
        )
        for name, shares in PROFILES.items()
    }  # fmt: skip
    return {
        "as_of": as_of, "symbols": symbols, "cash_money": CASH[as_of], "value": value,
        "weights": w, "cash": cash, "score": scores, "raw": raw, "terms": terms,
    }  # fmt: skip


def rows_of(name):
    with (SAMPLES / "growth" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if not row["symbol"].startswith("CASH")]


def raw_figures(w, cash, t, f, facts):
    n, whole = range(len(w)), math.fsum(t)
    mix = [x / whole for x in t]
    off = [w[i] + cash * mix[i] - mix[i] for i in n]
    names = [10.0 if row["product_type"] == "ETF" else 1.0 for row in facts]
    sectors = sorted({row["sector"] for row in facts} - {""})
    share = [
        [float(row["sector"] == s) if row["sector"] else 1 / len(sectors) for s in sectors]
        for row in facts
    ]
    sums = [math.fsum(share[i][g] * off[i] for i in n) for g in range(len(sectors))]
    sigma, corr = f["vol"], f["corr"]
    variance = math.fsum(
        w[i] * sigma[i] * corr[i][j] * sigma[j] * w[j] for i in n for j in n
    )  # fmt: skip
    return {
        "conc": -math.fsum(off[i] ** 2 / names[i] for i in n),
        "ind": -math.fsum(x * x for x in sums),
        "rao": -math.fsum(off[i] * corr[i][j] * off[j] for i in n for j in n),
        "tr": math.fsum(w[i] * f["mu"][i] for i in n) + cash * 0.02,
        "q": math.fsum(w[i] * f["quality"][i] for i in n) + cash * 0.55,
        "dd": -math.fsum(w[i] * f["drawdown"][i] for i in n),
        "inc": math.fsum(w[i] * 0.02 for i in n) + cash * 0.02,
        "vol": -math.sqrt(variance),
        "fit": -math.fsum((w[i] - t[i]) ** 2 for i in n) - (cash - 1 + whole) ** 2,
    }


def terms_of(raw):
    """Each term of the score; of the spread, country does not count: there is one."""
    wide = {"conc": 0.17, "ind": 0.22, "rao": 0.30}
    part = {name: 1 + raw[name] / width for name, width in wide.items()}
    return {
        "tr": (raw["tr"] - 0.02) / 0.09,
        "div": (0.35 * part["conc"] + 0.25 * part["ind"] + 0.25 * part["rao"]) / 0.85,
        "q": (raw["q"] - 0.30) / 0.45,
        "stab": 0.7 * (raw["vol"] + 0.30) / 0.20 + 0.3 * (raw["dd"] + 0.75) / 0.60,
        "inc": raw["inc"] / 0.04,
        "fit": 1 + raw["fit"] / 0.10,
    }


def vectors(options, dates_of_five):
    """Estimates of the five, and the demo at its dates."""
    dates, closes = table()
    five = [
        {
            "as_of": day, "symbols": list(FIVE), "stated": STATED.get(day, {}),
            **figures(
                closes, FIVE, dates.index(day) + 1, options,
                STATED.get(day, {}) if options == NEW else {},
            ),
        }
        for day in dates_of_five
    ]  # fmt: skip
    return {
        "expected_return": options[0], "volatility": options[1],
        "estimators": five, "demo": [demo(dates, closes, day, options) for day in CASH],
    }  # fmt: skip


def rounded(value):
    """Figures to nine digits after the point."""
    if isinstance(value, float):
        return round(value, 9)
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    return [rounded(item) for item in value] if isinstance(value, list) else value


if __name__ == "__main__":
    text = json.dumps(rounded(vectors(NEW, DATES)), indent=1)
    (GOLDEN / "defaults_golden.json").write_text(text + "\n", encoding="utf-8")
