"""The document: what is owned, by which prices and rules, before and after the plan."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from steelyard.canonical import Amount, FactValue, Number, Positive, Record
from steelyard.orders import Side
from steelyard.settings import (
    Costs,
    Evaluation,
    Limits,
    Lots,
    Rebalance,
    Regime,
    Score,
    Search,
)


class PricesAsOf(Record):
    """Sessions of the newest quote used and of the newest row of the history."""

    quotes: date
    history: date


class StrategyRef(Record):
    """Which rules made the plan; `sha256` is of `settings`: all of the strategy's, filled in.

    title         of a stored strategy, for people; "" = none
    text_sha256   of the text of a stored strategy, as its history has it; "" = none
    """

    name: str
    version: int | None
    title: str
    text_sha256: str
    sha256: str
    settings: dict[str, Any] = Field(
        description="every section and every module that runs, with its parameters"
    )

    @property
    def shown(self) -> str:
        """`Momentum hunter (v2)` of a stored strategy, else its name."""
        return self.name if self.version is None else f"{self.title or self.name} (v{self.version})"


class ModuleShown(BaseModel):
    """A module of a strategy; `digest` is of the file of one from outside."""

    model_config = ConfigDict(extra="forbid", json_schema_serialization_defaults_required=False)

    name: str
    version: str
    params: dict[str, Any]
    digest: str = ""


class SettingsShown(BaseModel):
    """Sections of a strategy that a plan is checked by; it has more. Only for the JSON Schema.

    evaluation   is written where it is not by the score alone
    """

    model_config = ConfigDict(extra="allow")

    costs: Costs
    limits: Limits
    search: Search
    rebalance: Rebalance
    score: Score
    regime: Regime
    lots: Lots = Lots()
    evaluation: Evaluation = Evaluation()
    modules: dict[str, tuple[ModuleShown, ...]]


class LotShown(Record):
    """A tax lot; `gain` is on the shown quantity, base currency."""

    acquired: date | None
    quantity: Amount
    unit_cost: Amount | None
    gain: Amount | None = None
    account: str = ""


class Thresholds(Record):
    """What an order and a plan must be worth, as resolved for the names of this plan.

    names             securities of the planning set
    min_trade_weight  least order, of value
    order_hurdle      score that each order is charged
    min_improvement   score that a plan must gain, before the latch
    """

    names: int
    min_trade_weight: Number
    order_hurdle: Number
    min_improvement: Number


class Rules(Record):
    """What binds the plan, so that it can be checked from the document alone.

    max_depth          length of a proposal and of a set of candidates
    max_orders         most orders of the plan: the limit of orders, and max_depth where it binds;
                       null = as many as earn their charge
    min_order_base     least order, base currency; full exits are exempt
    drift_band_weight  half width of the band shown around a target
    """

    costs: Costs
    limits: Limits
    thresholds: Thresholds
    max_depth: int
    max_orders: int | None
    min_order_base: Amount
    drift_band_weight: Number


MULTIPLIER = "value of one share at a price of 1, its currency; all but some bonds and options: 1"


class SettlingShown(Record):
    """Money on its way when the plan was made: `amount` arrives, or leaves, on a day after it."""

    currency: Annotated[str, Field(description="of the amount")]
    amount: Annotated[Amount, Field(description="that currency; negative when it leaves")]
    on: Annotated[date, Field(description="day on which it settles")]


class FlowShown(Record):
    """Money that the owner brings (`amount` > 0) or takes out (< 0) on a day."""

    date: date
    currency: Annotated[str, Field(description="of the amount")]
    amount: Annotated[Amount, Field(description="that currency; negative when it leaves")]
    fx_rate: Annotated[Positive, Field(description="base per unit of that currency")]


class RealisedGain(Record):
    """What the plan's sales realise, base currency: net of losses; null where a cost is unknown.

    short, long   of lots held up to `long_days`, and longer; a lot without a date counts as short
    before        net gain of the year before this plan; null = not told
    budget        most net gain of the year; null = no limit
    """

    short: Amount | None
    long: Amount | None
    currency: str
    before: Amount | None
    budget: Amount | None


class BandShown(Record):
    """The band around a target: of a security, of a class, or of cash.

    name      symbol, class, or CASH
    breached  was the weight outside before the plan?
    """

    kind: Literal["symbol", "class", "cash"]
    name: str
    low: Number
    high: Number
    weight: Number
    weight_after: Number
    breached: bool


class ClassShown(Record):
    """A class of the targets file before and after the plan; weights of value.

    members   its securities that are held, targeted or traded
    by_rows   do rows of its members say their targets? Else they follow from its own
    """

    dimension: Annotated[str, Field(description="column of the securities file; class by itself")]
    name: str
    weight: Number
    target: Number
    band: tuple[Number, Number]
    weight_after: Number
    members: tuple[str, ...]
    by_rows: bool


class OpenOrderShown(Record):
    """An order that was open before the plan: a buy reserves money, a sell reserves shares.

    quantity           shares that may still trade
    price, fx_rate     what a buy reserves: its limit, else the newest price, and base per unit;
                       null for a sell, as is the multiplier
    """

    symbol: str
    side: Side
    quantity: Amount
    price: Positive | None = Field(
        description="limit, else newest price of a buy, its currency; null for a sell"
    )
    multiplier: Positive | None = Field(description=f"{MULTIPLIER}; null for a sell")
    fx_rate: Positive | None = Field(description="base per unit of that currency; null for a sell")


class HoldingShown(Record):
    """A security that is held, targeted or traded, before the plan; `band` is around the target.

    lot_size           shares; an order is a multiple of it, or the whole holding
    lot_value          what one lot costs, base currency
    sellable           shares that no open sell reserves
    class_name         its class, in the dimension of `classes`; null where it has none, or where
                       no class has a target
    preference         within a class, lowest first to buy and last to sell; null = after all others
    """

    symbol: str
    name: str
    group: str | None
    sectors: tuple[str, ...] = Field(description="its sectors, each an even part of it")
    countries: tuple[str, ...] = Field(description="its countries, each an even part of it")
    class_name: str | None
    preference: int | None
    quantity: Amount
    sellable: Amount
    lot_size: Positive
    lot_value: Annotated[Amount, Field(description="what one lot costs, base currency")]
    is_fund: bool
    product_type: str = Field(description='what it is; "" = no file says: one name, or a fund?')
    allow_buy: bool
    allow_sell: bool
    price: Positive
    price_source: Annotated[str, Field(description="file that the price is from")]
    price_on: Annotated[date, Field(description="session of the price")]
    price_unit: Annotated[str, Field(description="in which it was quoted: GBp, else its currency")]
    multiplier: Annotated[Positive, Field(description=MULTIPLIER)]
    currency: str
    fx_rate: Positive
    value: Amount
    weight: Number
    target: Number | None
    band: tuple[Number, Number] | None
    last_bought: date | None = Field(
        description="date of the last buy, else of the newest lot; null when unknown"
    )
    last_sold: date | None = Field(
        description="date of the last sale; null when there is none on record"
    )
    lots: tuple[LotShown, ...]


class KeptOutShown(Record):
    """A position that is valued and not traded: a short, an option, a future.

    price, fx_rate   null for a future whose row states no value: it counts 0
    why              a sentence, rendered from `template` and `facts`
    """

    symbol: str
    name: str
    product_type: Annotated[str, Field(description="OPTION, FUTURE, or that of the short")]
    quantity: Annotated[Amount, Field(description="negative for a short")]
    price: Positive | None = Field(description="as quoted; null for a future that counts 0")
    price_source: str | None = Field(description="file that the price is from")
    price_on: date | None = Field(description="session of the price")
    price_unit: str | None = Field(description="in which it was quoted: GBp, else its currency")
    multiplier: Annotated[Positive, Field(description=MULTIPLIER)]
    currency: str
    fx_rate: Positive | None = Field(description="base per unit of that currency")
    value: Annotated[Amount, Field(description="base currency, negative for a short")]
    weight: Annotated[Number, Field(description="of value; the same after the plan")]
    why: str
    template: Annotated[str, Field(description="of `why`, filled from `facts`")]
    facts: dict[str, FactValue]


class HoldingAfter(Record):
    """The same security after the plan; weights are of the pre-trade value."""

    symbol: str
    quantity: Amount
    weight: Number


class AbsentTargetShown(Record):
    """A target that no order can buy, and why in a few words: `no price`."""

    symbol: Annotated[str, Field(description="the security")]
    target: Annotated[Number, Field(description="its target weight, of value")]
    why: Annotated[str, Field(description="what is missing")]


class Drift(Record):
    """Half the sum of absolute deviations from target, cash included; what is kept out of trading
    has a target of 0.
    """

    before: Number | None
    after: Number | None
    absent_target: Number = Field(
        description=(
            "target weight of securities without a price, which no order can buy; part of both"
        )
    )
    absent: tuple[AbsentTargetShown, ...] = Field(description="each of them, largest first")


class CashRung(Record):
    """Balance of a currency at the end of a date; `traded` has unsettled money, `settled` not."""

    date: date
    currency: str
    balance: Amount
    kind: Literal["traded", "settled"]
    estimated: bool


class RegimeShown(Record):
    """What the market does, told from the history of an index; `unknown` without enough of it."""

    name: Literal["bull", "bear", "sideways", "unknown"]
    distance: Number | None = Field(
        description="newest level over its moving average, less 1; null when unknown"
    )
    observations: Annotated[int, Field(description="levels of the index that it is told from")]
