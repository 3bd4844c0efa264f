"""Inputs of plans as bytes."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import zlib
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.world import AS_OF, world
from builders.worlds import FEWER, worlds
from steelyard import importers, strategies
from steelyard.errors import StoreError
from steelyard.importers import Inputs
from steelyard.market import Index, Market, Quote
from steelyard.notices import Drop, Notice
from steelyard.orders import Order, OrderStatus, Side
from steelyard.planning import planner
from steelyard.portfolio import Flow, Holding, Security, Settling, Snapshot, TaxLot
from steelyard.samples import sample
from steelyard.sentences import say
from steelyard.store.records import code_of
from steelyard.store.snapshots import pack, unpack
from steelyard.targets import Band, Targets

PACK = """
import sys
from steelyard import importers
from steelyard.samples import sample
from steelyard.store.snapshots import pack
files = sample("growth")
read = importers.read(files.holdings, prices=files.prices, targets=files.targets)
packed = pack(importers.assemble(read))
sys.stdout.write(packed.portfolio.hex() + packed.market.hex())
"""


def bundled(name: str) -> Inputs:
    files = sample(name)
    read = importers.read(
        files.holdings, prices=files.prices, targets=files.targets,
        securities=files.securities, fx=files.fx, index=files.index,
    )  # fmt: skip
    return importers.assemble(read, base_currency=files.base_currency)


def back(inputs: Inputs) -> Inputs:
    packed = pack(inputs)
    return unpack(packed.portfolio, packed.market)


def small(**changes: object) -> Inputs:
    made = world("AA 40 @ 100", "BB 10 @ 50", cash="1000", targets={"AA": 0.5})
    snapshot = replace(made.snapshot, **changes)
    return Inputs(
        snapshot=snapshot, market=made.market, targets=made.targets, warnings=(),
        as_of_from="prices",
    )  # fmt: skip


def rich() -> Inputs:
    """One of everything that the records can say."""
    security = Security(
        "Ä:1", "GBP", "Größe \u202e\ud800\n", "", Decimal("1E+2"), ("Tech", "Energy"), ("DE",), "g",
        0.1, 0.0, 2.5, False, False, Decimal("0.010"), "DE0001",
        MappingProxyType({"": "x", "r": "y"}), 3, "near", -0.5,
    )  # fmt: skip
    lots = (TaxLot(Decimal("1.50"), AS_OF, Decimal("2E-8"), "acc"), TaxLot(Decimal("-0.50")))
    holding = Holding(
        "Ä:1", Decimal("1.0"), lots, Decimal("7.10"), AS_OF, AS_OF, True, date(2020, 2, 29)
    )
    orders = (
        Order("o1", "Ä:1", Side.SELL, Decimal(1), None, OrderStatus.UNKNOWN, Decimal("0.5"),
              datetime(2024, 3, 15, 9, 30, 0, 123, tzinfo=UTC)),
        Order("o2", "Ä:1", Side.BUY, Decimal(2), Decimal("3.30")),
    )  # fmt: skip
    cash = MappingProxyType({"USD": Decimal("-0.00"), "EUR": Decimal("1E3")})
    snapshot = Snapshot(
        AS_OF, "USD", (holding,), cash, (security,), "sat-1", orders,
        ("ZZ",), (Settling("USD", Decimal("5.00"), AS_OF),),
        (Flow("EUR", Decimal("-7.0"), AS_OF),),
    )  # fmt: skip
    facts = say("{a:money} {b:date} {c:text} {d:ratio} {e:count}",
                a=Decimal("1.20"), b=AS_OF, c="\x1b[31m", d=0.1, e=7)  # fmt: skip
    made = world("AA 1 @ 100", cash="1").market
    levels = np.array([[1.0, np.nan], [2.0, 3.0]])
    days = np.array(["2024-03-14", "2024-03-15"], "datetime64[D]")
    market = Market(
        ("AA", "Ä:1"), days,
        np.array([[np.nan, 7.0], [100.1, 7.1]]),
        MappingProxyType({"Ä:1": Quote("Ä:1", Decimal("7.10"), AS_OF, "p.csv", "GBp")}),
        made.fx, False, "own", Index(("S", "T"), days, levels),
        MappingProxyType({"ZZ": Drop("stale", None, float("inf"), facts)}),
    )  # fmt: skip
    targets = Targets(
        MappingProxyType({"Ä:1": 0.3}), MappingProxyType({"CASH": Band(0.05, None)}),
        MappingProxyType({"Bonds": 0.2}), MappingProxyType({"Bonds": Band()}), "region",
        MappingProxyType({"Ä:1": 0.3}),
    )  # fmt: skip
    notice = Notice(code="c", message="m", symbol="ZZ", head=True)
    return Inputs(
        snapshot=snapshot, market=market, targets=targets, warnings=(notice,), as_of_from="today"
    )


def test_everything_that_the_records_say_comes_back_to_the_last_sign():
    inputs = rich()

    again = back(inputs)

    assert again.snapshot == inputs.snapshot
    assert again.targets == inputs.targets
    assert again.warnings == inputs.warnings
    assert again.market.withheld == inputs.market.withheld
    assert str(again.snapshot.cash["USD"]) == "-0.00"
    assert str(again.snapshot.cash["EUR"]) == "1E+3"
    assert str(again.snapshot.security("Ä:1").lot_size) == "1E+2"
    assert repr(again.snapshot.holdings) == repr(inputs.snapshot.holdings)
    assert repr(again.snapshot.open_orders) == repr(inputs.snapshot.open_orders)
    assert again.market.withheld["ZZ"].why.text == inputs.market.withheld["ZZ"].why.text
    assert np.array_equal(again.market.index.levels, inputs.market.index.levels, equal_nan=True)


def test_closes_come_back_bit_by_bit_and_closed_to_writing():
    market = replace(rich().market, closes=np.asfortranarray([[np.nan, 0.1], [5e-324, 1e300]]),
                     quotes=MappingProxyType({}))  # fmt: skip
    market.closes.view(np.int64)[0, 0] ^= 1  # a NaN of other bits

    again = back(replace(rich(), market=market)).market

    assert again.closes.tobytes() == np.ascontiguousarray(market.closes).tobytes()
    arrays = (again.closes, again.dates, again.index.dates, again.index.levels)
    assert [array.flags.writeable for array in arrays] == [False] * 4
    assert again.dates.dtype == market.dates.dtype
    with pytest.raises(TypeError):
        again.quotes["AA"] = None


@pytest.mark.parametrize("name", ["growth", "euro"])
def test_the_plan_of_a_bundled_portfolio_is_the_same_from_its_bytes(name):
    inputs = bundled(name)
    rules = strategies.default()

    plans = [
        planner.plan(i.snapshot, i.market, rules, targets=i.targets, warnings=i.warnings)
        for i in (inputs, back(inputs))
    ]

    assert plans[0].plan_id == plans[1].plan_id


@FEWER
@given(worlds())
def test_the_plan_of_any_small_world_is_the_same_from_its_bytes(made):
    inputs = Inputs(
        snapshot=made.snapshot, market=made.market, targets=made.targets, warnings=(),
        as_of_from="prices",
    )  # fmt: skip
    again = back(inputs)

    other = replace(made, snapshot=again.snapshot, market=again.market, targets=again.targets)

    assert other.plan().plan_id == made.plan().plan_id
    assert pack(again) == pack(inputs)


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_any_decimal_comes_back_with_its_exponent(amount):
    code = code_of(Decimal)

    assert str(code.read(code.write(amount))) == str(amount)


def test_the_same_content_is_the_same_bytes_under_any_hash_seed():
    outputs = {
        subprocess.run(
            [sys.executable, "-c", PACK], capture_output=True, check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("0", "1", "77")
    }  # fmt: skip

    assert len(outputs) == 1
    assert len(outputs.pop()) > 1000


def test_the_order_of_a_mapping_is_no_content():
    one_way = {"USD": Decimal(1), "EUR": Decimal(2)}
    other_way = dict(reversed(one_way.items()))

    assert pack(small(cash=one_way)) == pack(small(cash=other_way))


def test_equal_amounts_of_other_exponents_are_other_content():
    hashes = {pack(small(cash={"USD": Decimal(text)})).portfolio_sha256 for text in ("1", "1.0")}

    assert len(hashes) == 2


def test_one_market_under_two_portfolios_has_one_hash():
    first, second = pack(small()), pack(small(cash={"USD": Decimal(5)}))

    assert first.market_sha256 == second.market_sha256
    assert first.portfolio_sha256 != second.portfolio_sha256


def test_the_hash_does_not_depend_on_how_the_content_was_deflated():
    packed = pack(small())
    head, _, body = packed.market.partition(b"\n")
    other = head + b"\n" + zlib.compress(zlib.decompress(body), 0)

    assert other != packed.market
    assert unpack(packed.portfolio, other).market.symbols == ("AA", "BB")


def forged(body: bytes, content: bytes) -> bytes:
    """Other content under a hash that is right."""
    sha256 = hashlib.sha256(b"1 portfolio\n" + content).hexdigest()
    return b"steelyard 1 portfolio %s\n" % sha256.encode() + zlib.compress(content)


@pytest.mark.parametrize(
    ("damage", "code", "words"),
    [
        (lambda b: b"", "snapshot_damaged", "does not begin as one"),
        (lambda b: b"\x80\x04" + b, "snapshot_damaged", "does not begin as one"),
        (lambda b: b[:-9], "snapshot_damaged", "incomplete"),
        (lambda b: b.replace(b" 1 portfolio", b" 2 portfolio", 1), "snapshot_newer", "of format 2"),
        (lambda b: b.replace(b"portfolio", b"market", 1), "snapshot_damaged", "is of a market"),
        (lambda b: forged(b, b"{}"), "snapshot_damaged", "TypeError"),
        (lambda b: forged(b, b"[" * 9), "snapshot_damaged", "JSONDecodeError"),
        (lambda b: forged(b, b'{"snapshot":{"as_of":"never"}}'), "snapshot_damaged", "ValueError"),
        (lambda b: forged(b, b'{"nothing":1}'), "snapshot_damaged", "KeyError"),
    ],
)  # fmt: skip
def test_bytes_that_are_not_what_they_say_are_told_apart_and_nothing_is_read(damage, code, words):
    packed = pack(small())

    with pytest.raises(StoreError, match=words) as caught:
        unpack(damage(packed.portfolio), packed.market)

    assert caught.value.fault.code == code
    assert "Nothing was read." in str(caught.value)


def test_a_flipped_hash_is_seen():
    packed = pack(small())
    wrong = packed.portfolio.replace(
        packed.portfolio_sha256.encode(), packed.portfolio_sha256[::-1].encode()
    )

    with pytest.raises(StoreError, match="its hash is"):
        unpack(wrong, packed.market)


def test_a_field_that_is_later_added_with_a_default_does_not_change_what_is_stored():
    written = code_of(Security).write(Security("AA", "USD"))

    assert written == {"symbol": "AA", "currency": "USD"}
    assert code_of(Security).read(written) == Security("AA", "USD")


def test_nothing_here_can_run_code():
    sources = [
        Path(sys.modules[code_of.__module__].__file__),
        Path(sys.modules[pack.__module__].__file__),
    ]

    assert not [path for path in sources if "pickle" in path.read_text(encoding="utf-8")]
