"""All files together: as-of date, base currency, quotes, rates, and what refuses."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders.files import LAST, PRICES, TODAY, files, inputs
from steelyard.errors import InputError, PlanRefused, RowsRejected
from steelyard.importers import Inputs, assemble, parse_cash, read
from steelyard.portfolio import Security
from steelyard.samples import sample
from steelyard.targets import Targets


def test_three_and_two_columns_and_prices_are_a_whole_account(tmp_path: Path):
    assembled = inputs(tmp_path, targets="symbol,weight\nBBB,0.4\nZZZ,0.1\n")

    snapshot, market = assembled.snapshot, assembled.market
    assert (snapshot.as_of, assembled.as_of_from, snapshot.base_currency, snapshot.bucket) == (
        LAST, "prices", "USD", "core",
    )  # fmt: skip
    assert [holding.symbol for holding in snapshot.holdings] == ["AAA"]
    assert snapshot.securities == (
        Security("AAA", "USD", product_type=""), Security("BBB", "USD", product_type=""),
        Security("ZZZ", "USD", product_type=""),
    )  # fmt: skip
    assert market.symbols == ("AAA", "BBB")  # what nobody holds, wants or lists is left out
    assert market.closes.tolist() == [[9, 20], [10, 21], [11, 22]]
    assert market.quotes["BBB"].price == 22
    assert market.source == "prices.csv"
    assert assembled.targets is not None
    assert dict(assembled.targets.weights) == {"BBB": 0.4, "ZZZ": 0.1}
    assert assembled.warnings == ()


def test_without_prices_the_holdings_file_quotes_as_of_today(tmp_path: Path):
    assembled = inputs(tmp_path, "symbol,quantity,price\nAAA,10,12.5\n", prices=None)

    assert (assembled.snapshot.as_of, assembled.as_of_from) == (TODAY, "today")
    assert (assembled.market.quotes["AAA"].price, assembled.market.quotes["AAA"].on) == (
        Decimal("12.5"),
        TODAY,
    )
    assert assembled.market.closes.tolist() == [[12.5]]
    assert assembled.market.last == TODAY
    assert assembled.warnings == ()


def test_without_prices_and_dates_the_caller_must_say_the_day(tmp_path: Path):
    with pytest.raises(InputError, match="neither a price file nor an as-of date"):
        assemble(files(tmp_path, holdings="symbol,quantity\n"))


def test_an_account_of_nothing_but_a_header_is_all_cash(tmp_path: Path):
    assembled = assemble(
        files(tmp_path, holdings="symbol,quantity\n"), cash=parse_cash(["EUR=500"]), as_of=LAST
    )

    assert (assembled.snapshot.base_currency, dict(assembled.snapshot.cash)) == (
        "EUR",
        {"EUR": Decimal(500)},
    )
    assert assembled.market.symbols == ()
    assert assembled.targets is None


@given(
    extra=st.lists(
        st.tuples(st.integers(1, 60), st.decimals("0.01", 1000, places=2)),
        max_size=4,
        unique_by=lambda row: row[0],
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_after_the_as_of_date_gets_through(
    tmp_path: Path, extra: list[tuple[int, Decimal]]
):
    future = [LAST + timedelta(days=after) for after, _ in sorted(extra)]
    prices = PRICES + "".join(
        f"{on},{price},{price},\n" for on, (_, price) in zip(future, sorted(extra), strict=True)
    )
    fx = "date,currency,rate\n2022-12-27,EUR,1.05\n" + "".join(
        f"{on},EUR,{price}\n" for on, (_, price) in zip(future, sorted(extra), strict=True)
    )
    holdings = "symbol,quantity,currency\nAAA,10,EUR\nCASH:USD,100,\n"

    late = assemble(files(tmp_path, holdings=holdings, prices=prices, fx=fx), as_of=LAST)
    then = assemble(
        files(
            tmp_path, holdings=holdings, prices=PRICES,
            fx="date,currency,rate\n2022-12-27,EUR,1.05\n",
        )
    )  # fmt: skip

    assert late.snapshot == then.snapshot
    assert late.market.quotes == then.market.quotes
    assert late.market.fx == then.market.fx
    assert (late.market.dates == then.market.dates).all()
    assert np.array_equal(late.market.closes, then.market.closes, equal_nan=True)


def test_an_as_of_date_between_sessions_takes_the_session_before(tmp_path: Path):
    assembled = assemble(
        files(tmp_path, holdings="symbol,quantity\nAAA,1\n", prices=PRICES),
        as_of=date(2022, 12, 25),
    )

    assert (assembled.snapshot.as_of, assembled.as_of_from, assembled.market.last) == (
        date(2022, 12, 25), "argument", date(2022, 12, 23),
    )  # fmt: skip
    assert assembled.market.quotes["AAA"].price == 9


@given(st.permutations(range(4)))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_order_of_lines_changes_nothing(tmp_path: Path, order: list[int]):
    holdings = ["AAA,10,2020-01-02", "AAA,5,2021-01-04", "BBB,3,", "CASH:USD,7,"]
    targets = ["AAA,0.1", "BBB,0.2", "CCC,0.3", "ZZZ,0.05"]
    securities = ["AAA,Energy", "BBB,Energy", "CCC,Materials", "DDD,"]

    def assembled(places: list[int]) -> Inputs:
        def lines(header: str, rows: list[str]) -> str:
            return "\n".join([header, *(rows[i] for i in places)])

        return inputs(
            tmp_path, lines("symbol,quantity,acquired", holdings),
            targets=lines("symbol,weight", targets), securities=lines("symbol,sector", securities),
        )  # fmt: skip

    assert assembled(order).snapshot == assembled([0, 1, 2, 3]).snapshot
    assert assembled(order).targets == assembled([0, 1, 2, 3]).targets
    assert list(assembled(order).snapshot.cash.items()) == list(
        assembled([0, 1, 2, 3]).snapshot.cash.items()
    )


@pytest.mark.parametrize(
    ("holdings", "securities", "expected"),
    [
        ("symbol,quantity\nAAA,1\nCASH:EUR,5\n", None, "EUR"),
        ("symbol,quantity,currency\nAAA,1,EUR\nCASH:USD,5,\n", None, "USD"),
        ("symbol,quantity,currency\nAAA,1,GBP\n", None, "GBP"),
        ("symbol,quantity\nAAA,1\n", "symbol,currency\nAAA,CHF\n", "CHF"),
        ("symbol,quantity\nAAA,1\n", None, "USD"),
    ],
)
def test_the_base_currency_is_the_one_of_the_cash_then_of_the_securities_then_usd(
    tmp_path: Path, holdings: str, securities: str | None, expected: str
):
    assembled = assemble(
        files(
            tmp_path,
            holdings=holdings,
            prices=PRICES,
            fx=(
                "date,currency,rate\n2022-12-28,XXX,2\n2022-12-28,EUR,1\n"
                if expected == "USD"
                else "date,currency,rate\n"
            ),
            **({"securities": securities} if securities else {}),
        )
    )

    assert assembled.snapshot.base_currency == expected


def test_a_security_is_quoted_where_a_file_says_else_in_the_base_currency(tmp_path: Path):
    assembled = assemble(
        files(
            tmp_path, holdings="symbol,quantity,currency\nAAA,1,GBP\nBBB,1,\nCCC,1,\n",
            prices=PRICES, securities="symbol,name,currency\nAAA,Alpha,\nBBB,Beta,GBP\n",
            fx="date,currency,rate\n2022-12-28,GBP,1.2\n2022-12-28,JPY,0.007\n",
        ),
        base_currency="usd",
    )  # fmt: skip

    assert [(other.symbol, other.currency) for other in assembled.snapshot.securities] == [
        ("AAA", "GBP"), ("BBB", "GBP"), ("CCC", "USD"),
    ]  # fmt: skip
    assert list(assembled.market.fx.rates) == ["GBP"]
    assert dict(assembled.snapshot.cash) == {"USD": Decimal(0)}


def test_excluding_leaves_a_symbol_out_everywhere_and_says_so(tmp_path: Path):
    given_files = files(
        tmp_path, holdings="symbol,quantity\nAAA,1\nQQQ,1\n", prices=PRICES,
        targets="symbol,weight\nAAA,0.5\nQQQ,0.25\n", securities="symbol,name\nQQQ,Lost\n",
    )  # fmt: skip

    assembled = assemble(given_files, exclude=["qqq", "QQQ"])

    assert assembled.snapshot.excluded == ("QQQ",)
    assert assembled.snapshot.security("QQQ") is None
    assert [holding.symbol for holding in assembled.snapshot.holdings] == ["AAA"]
    assert assembled.targets == Targets({"AAA": 0.5})
    assert [(warning.code, warning.symbol) for warning in assembled.warnings] == [
        ("excluded_target", "QQQ")
    ]
    with pytest.raises(PlanRefused, match="--exclude QQQ"):
        assemble(given_files)


def test_cash_of_the_file_and_of_arguments_is_taken_together(tmp_path: Path):
    given_files = files(tmp_path, holdings="symbol,quantity\nCASH:USD,5.00\n")

    with pytest.raises(PlanRefused, match="no rate of EUR"):
        assemble(given_files, cash=parse_cash(["usd=5", "EUR=-3"]), base_currency="USD", as_of=LAST)
    assert dict(assemble(given_files, cash=parse_cash(["USD=5"]), as_of=LAST).snapshot.cash) == {
        "USD": Decimal(5)
    }
    with pytest.raises(InputError, match=r"5 in .* and 6 by --cash or"):
        assemble(given_files, cash=parse_cash(["USD=6"]), as_of=LAST)


def test_the_bucket_of_the_file_wins(tmp_path: Path):
    assert inputs(tmp_path, "symbol,quantity,bucket\nAAA,1,growth\n").snapshot.bucket == "growth"


def test_rejected_lines_of_all_files_are_told_before_anything_else(tmp_path: Path):
    with pytest.raises(RowsRejected) as refused:
        inputs(
            tmp_path, "symbol,quantity,acquired\nAAA,x,\nQQQ,1,2023-06-01\n",
            targets="symbol,weight\nAAA,2\n", fx="date,currency,rate\n2022-12-28,EUR,0\n",
            securities="symbol,quality\nAAA,9\n",
        )  # fmt: skip

    assert [(row.file, row.line) for row in refused.value.rows] == [
        ("holdings.csv", 2), ("targets.csv", 2), ("securities.csv", 2), ("fx.csv", 2),
        ("holdings.csv", 3),
    ]  # fmt: skip


def test_a_price_file_of_rejected_lines_is_told_even_without_a_date(tmp_path: Path):
    with pytest.raises(RowsRejected, match=r"prices\.csv line 2"):
        assemble(
            files(tmp_path, holdings="symbol,quantity\nAAA,1\n", prices="date,AAA\n2022-12-28,0\n")
        )


@pytest.mark.parametrize("name", ["growth", "euro"])
def test_the_bundled_portfolios_are_read_without_a_word(name: str):
    bundled = sample(name)

    assembled = assemble(
        read(
            bundled.holdings, prices=bundled.prices, targets=bundled.targets,
            securities=bundled.securities, fx=bundled.fx,
        ),
        base_currency=bundled.base_currency,
    )  # fmt: skip

    assert assembled.snapshot.as_of == LAST
    assert assembled.market.closes.shape == (4781, 19)
    assert assembled.warnings == ()
    assert assembled.snapshot.base_currency == bundled.base_currency
    assert sorted(assembled.market.quotes) == [
        security.symbol for security in assembled.snapshot.securities
    ]


def test_the_broken_portfolio_is_refused_for_all_that_the_files_show():
    bundled = sample("broken")

    with pytest.raises(
        PlanRefused, match=r"3 reasons(.|\n)*TWTR is held(.|\n)*APPL has a target(.|\n)*sum to 1\.2"
    ):
        assemble(
            read(
                bundled.holdings, prices=bundled.prices, targets=bundled.targets,
                securities=bundled.securities,
            )
        )  # fmt: skip


def test_no_warning_begins_with_the_name_of_a_file_which_would_be_capitalised(tmp_path: Path):
    assembled = inputs(
        tmp_path, "symbol,quantity,colour\nAAA,10,red\n", targets="symbol,weight,note\nBBB,0.2,x\n",
        securities="symbol,product_type\nAAA,certificate\n",
    )  # fmt: skip

    assert [warning.message.split()[0] for warning in assembled.warnings] == ["The", "The", "These"]
