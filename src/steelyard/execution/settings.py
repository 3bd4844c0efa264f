"""Settings of execution, with their units: what the rails obey, and how orders are worked.

Money in `_base` is in the base currency, `_weight` is a fraction of the value of what is traded,
`_s` are seconds. Numbers with a point are exact decimals.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler, SecretStr, field_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from steelyard.brokers.broker import Mode
from steelyard.settings import Section, setting


def _exact(number: object) -> object:
    """A number of TOML as the decimal that was written."""
    if isinstance(number, int | float) and not isinstance(number, bool):
        return Decimal(str(number))
    return number


class _AsNumber:
    """In a schema an exact number is a number; text of one is not taken."""

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        schema = handler(core)
        return dict(schema.get("anyOf", [schema])[0])


_EXACT = BeforeValidator(_exact)
Exact = Annotated[Decimal, _EXACT, Field(allow_inf_nan=False), _AsNumber()]
Money = Annotated[Decimal, Field(allow_inf_nan=False, gt=0, le=10**12), _EXACT, _AsNumber()]
Part = Annotated[Decimal, Field(allow_inf_nan=False, gt=0, le=1), _EXACT, _AsNumber()]


class Limits(Section):
    """What the rails obey on paper."""

    max_order_weight: Exact = setting(Decimal(1), "largest order, of value", gt=0, le=1)
    max_order_base: Money | None = setting(None, "largest order; off when absent")
    max_turnover_weight: Exact = setting(
        Decimal(2), "buys and sells of a day together, of value, over all runs", gt=0, le=10
    )
    max_order_volume_weight: Exact = setting(
        Decimal("0.01"), "largest order, of the mean volume of 20 days", gt=0, le=1
    )
    max_position_weight: Part | None = setting(
        None, "largest position after a buy, of value; off when absent"
    )
    max_sector_weight: Part | None = setting(
        None, "largest sector after a buy, of value; off when absent"
    )
    max_orders_without_plan: int = setting(
        50, "orders of a run behind which no plan stands", ge=0, le=1000
    )
    max_orders_a_day: int = setting(1000, "orders of a day, over all runs", ge=0, le=100_000)
    max_attempts_per_order: int = setting(
        12, "tickets that one order of a plan is worked with", ge=1, le=100
    )
    min_order_gap_s: Exact = setting(Decimal(1), "between two orders", ge=0, le=3600)
    plan_max_age_s: int = setting(600, "age of a plan when its run begins", ge=0, le=86_400)
    run_max_s: int = setting(900, "age of a run when it sends an order", ge=0, le=86_400)
    max_drift_weight: Exact = setting(
        Decimal("0.02"), "move of a price or of the value since the plan", ge=0, le=1
    )
    max_price_gap_weight: Exact = setting(
        Decimal("0.05"), "between the prices of two sources", ge=0, le=1
    )
    max_limit_gap_weight: Exact = setting(
        Decimal("0.01"), "between limit price and the middle of the quote", ge=0, le=1
    )
    max_close_gap_weight: Exact = setting(
        Decimal("0.10"), "between the middle of the quote and the last official close", ge=0, le=1
    )
    max_spread_weight: Exact = setting(Decimal("0.01"), "ask less bid, of the middle", ge=0, le=1)
    quote_max_age_s: Exact = setting(Decimal(10), "age of a quote", ge=0, le=3600)
    fx_max_age_s: Exact = setting(Decimal(60), "age of a currency rate", ge=0, le=86_400)
    closed_first_s: int = setting(300, "no order after a session opens", ge=0, le=7200)
    closed_last_s: int = setting(900, "no order before a session closes", ge=0, le=7200)
    loss_sells_only_weight: Exact = setting(
        Decimal("0.03"),
        "loss since the session opened, from which on nothing is bought",
        ge=0,
        le=1,
    )
    loss_halt_weight: Exact = setting(
        Decimal("0.05"),
        "loss since the session opened, from which on plans stand still",
        ge=0,
        le=1,
    )
    max_rejects_in_row: int = setting(3, "orders refused one after another that halt", ge=1, le=100)
    max_rejects: int = setting(5, "orders refused in a run that halt", ge=1, le=100)
    max_failures: int = setting(3, "failed runs within 24 hours that halt", ge=1, le=100)
    sell_fail_block_base: Exact = setting(
        Decimal(500),
        "money that failed sells may lack; with the next one the larger counts",
        ge=0,
        le=10**12,
    )
    sell_fail_block_weight: Exact = setting(Decimal("0.01"), "the same, of value", ge=0, le=1)
    reconciled_max_age_s: int = setting(900, "age of the last reconciliation", ge=0, le=86_400)
    max_clock_offset_s: Exact = setting(
        Decimal(2), "between our clock and the broker's", ge=0, le=60
    )
    min_free_disk_mib: int = setting(256, "free space beside the journal", ge=1, le=10**9)
    opposite_trade_hours: int = setting(
        24, "since a trade of the other side in the same symbol", ge=0, le=24 * 366
    )
    weights_tolerance: Exact = setting(
        Decimal("0.000001"), "by which weights may miss a sum of 1", ge=0, le=Decimal("0.001")
    )


class LiveLimits(Limits):
    """What the rails obey live."""

    max_order_weight: Exact = setting(Decimal("0.20"), "largest order, of value", gt=0, le=1)
    max_order_base: Money | None = setting(Decimal(10_000), "largest order; off when absent")
    max_turnover_weight: Exact = setting(
        Decimal("0.40"), "buys and sells of a day together, of value, over all runs", gt=0, le=10
    )


class PaperHistoryNeeds(Section):
    """What has to be recorded on paper before anything is traded live."""

    min_runs: int = setting(20, "runs that ended done or with skips", ge=1, le=10_000)
    min_days: int = setting(10, "days on which they were", ge=1, le=3650)


class Account(Section):
    """Which account is traded, and how far.

    Live needs this mode, a live key, the live address and the pinned account, all four.
    """

    mode: Mode = setting("paper", "paper, or live")
    pinned: str | None = setting(
        None, "the id of the one account that may be traded live", min_length=1, max_length=100
    )


class Arming(Section):
    """How long a person's consent holds."""

    ttl_s: int = setting(
        900, "from a request to its end, and from arming to its use", ge=1, le=3600
    )


class Webhook(Section):
    """Where alerts are sent besides the journal and the terminal."""

    url: SecretStr | None = setting(None, "an https address; off when absent")
    allow_private: bool = setting(
        False, "may it be an address of this machine or of a private network"
    )

    @field_validator("url")
    @classmethod
    def _https(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not url.get_secret_value().startswith("https://"):
            raise ValueError("it has to begin with https://")
        return url
