"""Answers beside the plan: partial fills, loosened rules, and what would change it.

Gains and scores were found by solving again and are not judged; quantities, money, sums, settings
and words are.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal

from steelyard.plans.verify.book import HALF, ONE, SELL, ZERO, Book, per_point
from steelyard.plans.verify.charges import charge_rates
from steelyard.plans.verify.classes import HARVEST
from steelyard.plans.verify.tally import NUMBER_SLACK, Place, Record, Tally, number_of
from steelyard.plans.verify.words import check_sentence
from steelyard.sentences import cased

CENT = Decimal("0.01")
POINTS = 100
LOTS = "securities.lot_size"
"""Lots of every security: 1 is a whole one."""
PROVEN = Decimal("1e-9")
"""Ends of a span that are no further apart are equal."""
NOTHING = " changes nothing."
"""So ends the sentence of a change whose span is empty, or has no worth in money."""
CENT = Decimal("0.01")
NEVER = "No deposit reaches the targets without a sale: {symbols:text} has no target."
NONE_NEEDED = (
    "No more need be deposited to reach the targets without a sale: nothing is further over its "
    "target than half a lot."
)
DEPOSIT = (
    "{currency:text} {amount:money} more is the smallest deposit with which the targets are "
    "reached without a sale: {symbol:text} is over its target until then."
)
AS_IT_IS = "a rule as it is now"


def check_answers(book: Book, tally: Tally) -> None:
    """The what-if reports against the steps and settings of the plan, then the explanation."""
    report, explanation = book.doc["what_if"], book.doc["explanation"]
    if report is not None:
        if report["fills"] is not None:
            _robustness(book, report["fills"], tally)
        for n, row in enumerate(report["relaxations"]):
            _loosened(book, row, tally.at(f"what_if.relaxations[{n}]", row))
    if explanation is not None:
        place = tally.at("explanation", explanation)
        stability = explanation["stability"]
        place.same("text", stability["text"], "the first sentence is that on stability")
        _stability(stability, tally.at("explanation.stability", stability))
        for n, row in enumerate(explanation["counterfactuals"]):
            _counterfactual(book, row, tally.at(f"explanation.counterfactuals[{n}]", row))
        for n, row in enumerate(explanation["thresholds"]):
            _threshold(book, row, tally.at(f"explanation.thresholds[{n}]", row))
        for n, row in enumerate(explanation["relaxations"]):
            _relaxation(book, row, tally.at(f"explanation.relaxations[{n}]", row))
        _deposit(book, explanation["deposit"], tally)


def _deposit(book: Book, row: Record | None, tally: Tally) -> None:
    """What all must be worth for nothing to be over its target by more than half a lot."""
    asked = book.by_targets and book.value > 0
    name = "with targets the smallest deposit that needs no sale is told"
    tally.rule("explanation.deposit", asked == (row is not None), asked, row is not None, name)
    if row is None or not asked:
        return
    place, owned = tally.at("explanation.deposit", row), []
    place.same("currency", book.doc["base_currency"], "a deposit in the base currency")
    bare = [h["symbol"] for h in book.doc["holdings"] if h["quantity"] and not h["target"]]
    for holding in book.doc["holdings"]:
        if holding["quantity"] and holding["target"]:
            worth = (holding["value"] - holding["lot_value"] * HALF) / holding["target"]
            owned.append((worth, holding["symbol"]))
    worth, symbol = max(owned, default=(ZERO, ""))
    least = max(ZERO, (worth - book.value).quantize(CENT, ROUND_CEILING))
    place.amount("amount", None if bare else least, "the smallest deposit that needs no sale")
    decides = bare[0] if bare else symbol if least else None
    place.same("symbol", decides, "what is over its target the longest")
    due = NEVER if bare else DEPOSIT if least else NONE_NEEDED
    place.same("template", due, "the words on the smallest deposit")
    check_sentence(place, {"amount": least, "symbol": symbol, "symbols": ", ".join(bare)})


# partly filled


def _robustness(book: Book, fills: Record, tally: Tally) -> None:
    place, scenarios = tally.at("what_if.fills", fills), fills["scenarios"]
    tally.rule("what_if.fills.scenarios", bool(scenarios), "some", "none", "there are scenarios")
    if not scenarios:
        return
    nets = [scenario["improvement"] for scenario in scenarios]
    beats = Decimal(sum(net > 0 for net in nets))
    place.number("worst", min(nets), "the least of the scenarios")
    place.number("mean", sum(nets, ZERO) / len(nets), "the mean of the scenarios")
    place.number("share", beats / len(nets), "share of scenarios above hold")
    short = Decimal(sum(not scenario["keeps_reserve"] for scenario in scenarios))
    facts = {"beats": beats, "scenarios": Decimal(len(nets)), "short": short}
    check_sentence(place, {**facts, "worst": fills["worst"], "mean": fills["mean"]})
    for n, scenario in enumerate(scenarios):
        _scenario(book, scenario, tally.at(f"{place.where}.scenarios[{n}]", scenario))


def _scenario(book: Book, scenario: Record, place: Place) -> None:
    """What fills is part of the plan, in whole lots, and leaves the cash that is told."""
    steps = {step["n"]: step for step in book.steps}
    flows: list[Decimal] = []
    for n, filling in enumerate(scenario["fills"]):
        at, step = place.tally.at(f"{place.where}.fills[{n}]", filling), steps.get(filling["n"])
        at.rule("n", step is not None, "the number of a step", "an order of the plan")
        holding = None if step is None else book.holdings.get(step["symbol"])
        if step is None or holding is None:
            return
        quantity, lot = filling["quantity"], holding["lot_size"]
        whole = quantity == step["quantity"] or quantity % lot == 0
        due = f"at most {step['quantity']} in lots of {lot}"
        part = 0 < quantity <= step["quantity"] and whole
        at.rule("quantity", part, due, "part of the order in whole lots")
        notional = quantity * step["price"] * per_point(step)
        at.amount("notional_base", notional, "notional = quantity x price x multiplier x rate")
        cost = book.cost_of(notional, step["currency"])["total"]
        flows.append((notional if step["side"] == SELL else -notional) - cost)
    cash = book.weight(book.cash_before + sum(flows, ZERO))
    place.number("cash_after", cash, "cash after what fills")
    _reserve(book, flows, place)
    name = scenario["name"]
    named = bool(name) and scenario["text"].startswith(f"{cased(name)[:-1]}:")
    place.rule("name", named, "how its sentence begins", "the sentence says what fills")
    check_sentence(place, {"net": scenario["improvement"], "cash": scenario["cash_after"]})


def _reserve(book: Book, flows: list[Decimal], place: Place) -> None:
    """What may pay is not under the reserve, or what there was; at the limit rounding decides."""
    # where settled money alone pays, a sale brings nothing, and takes what its costs are above it
    settled = book.limits["funding"] == "settled"
    rest = book.spendable + sum((min(flow, ZERO) if settled else flow for flow in flows), ZERO)
    over = book.weight(rest - book.least_cash)
    if abs(over) > NUMBER_SLACK:
        place.same("keeps_reserve", over > 0, "the reserve is kept")


# a rule loosened


def _loosened(book: Book, row: Record, place: Place) -> None:
    """The rule as it is now, its price for one unit, and its orders in lots, each marked."""
    setting, now, then, unit = row["setting"], row["now"], row["then"], row["unit"]
    place.number("now", _now(book, setting), AS_IT_IS)
    if unit == "switch":
        place.number("then", ONE - now, "a switch is on or off")
    units = abs(then - now) * (POINTS if unit == "pp" else 1)
    if units:
        place.number("gain_per_unit", row["gain"] / units, "gain for one unit")
    part = then if setting == LOTS else ONE
    for n, step in enumerate(row["steps"]):
        at = place.tally.at(f"{place.where}.steps[{n}]", step)
        at.same("relaxed_constraints", [setting], "an order says which rule it breaks")
        holding = book.holdings.get(step["symbol"])
        if holding is None:
            what = f"the lots of {step['symbol']} in what-if reports"
            place.tally.skip(what, "the plan itself neither holds, aims at nor trades it")
            continue
        quantity, lot = step["quantity"], holding["lot_size"] * part
        exits = step["side"] == SELL and quantity == holding["quantity"]
        whole = quantity > 0 and (exits or quantity % lot == 0)
        at.rule("quantity", whole, f"lots of {lot}", "whole lots")
    facts = {"what": row["name"], "now": now, "then": then, "gain": row["gain"]}
    check_sentence(place, {**facts, "each": row["gain_per_unit"]})


def _now(book: Book, setting: str) -> Decimal | None:
    """A rule of the strategy, of a filter or of a security; a switch counts 0 or 1."""
    kind, _, rest = setting.partition(".")
    owner, _, name = rest.rpartition(".")
    if setting == LOTS:
        return ONE
    if kind == "securities":
        holding = book.holdings.get(owner)
        return None if holding is None else Decimal(int(holding["allow_sell"]))
    if kind == "filters":
        filters = book.settings["modules"].get("filters", ())
        days = (own["params"].get(name) for own in filters if own["name"] == owner)
        return _number(next(days, None))
    section = book.settings.get(kind)
    return _number(section.get(rest)) if isinstance(section, dict) else None


def _number(setting: object) -> Decimal | None:
    """A setting as a number; a switch counts 0 or 1."""
    return number_of(int(setting) if isinstance(setting, bool) else setting)


# what would change the plan


def _stability(stability: Record, place: Place) -> None:
    resamples, share = Decimal(stability["resamples"]), stability["share"]
    holds = Decimal(round(share * resamples))
    place.rule("share", 0 <= share <= 1, "0 to 1", "a share of the re-estimates")
    if resamples:
        place.number("share", holds / resamples, "whole re-estimates")
    facts = {"resamples": resamples, "holds": holds, "regret": stability["mean_regret"]}
    check_sentence(place, facts)


def _counterfactual(book: Book, row: Record, place: Place) -> None:
    """One rule changed: what it is now, and the costs that weigh as much as the gain."""
    place.number("now", _now(book, row["setting"]), AS_IT_IS)
    rates, money = charge_rates(book), row["money"]
    if rates is not None and rates.cost > 0:
        worth = row["gain"] / rates.cost * book.value
        # rounded to cents after the gain was rounded to 12 digits
        slack = CENT / 2 + (1 + abs(worth)) * NUMBER_SLACK
        close = money is not None and money == round(money, 2) and abs(worth - money) <= slack
        place.rule("money", close, f"about {worth:.2f}", "money = gain / charge of costs x value")
    least, most = row["gain_least"], row["gain_most"]
    _span(row, place)
    change, worth = row["name"][:1].upper() + row["name"][1:], None if money is None else abs(money)
    facts = {"change": change, "currency": book.doc["base_currency"], "worth": worth}
    facts |= {"now": row["now"], "then": row["then"], "gain": row["gain"]}
    spans = least is not None and most is not None
    if spans:
        facts["about"] = (least + most) / 2
    if spans and least <= 0 <= most:
        facts["most"] = max(most, -least)
    elif spans:
        facts |= {"least": min(abs(least), abs(most)), "most": max(abs(least), abs(most))}
    check_sentence(place, facts)


def _span(row: Record, place: Place) -> None:
    """A gain is told where both searches are proven, else between which it lies."""
    gain, least, most, facts = row["gain"], row["gain_least"], row["gain_most"], row["facts"]
    unknown = least is None or most is None
    place.rule("gain_most", unknown == (least is most), "both or none", "a span has two ends")
    if unknown:
        place.rule("gain", "gain" in facts, "the gain", "a gain is told")
        return
    place.rule("gain_least", least <= most, f"at most {most}", "the least is under the most")
    exact = most - least <= PROVEN
    tells = exact and gain != 0 and row["money"] is not None
    due = "with a gain" if tells else "nothing"
    place.rule("gain", tells == ("gain" in facts), due, "a gain is told where it is proven")
    reads_same = round(POINTS * least, 2) == round(POINTS * most, 2)
    nothing = row["template"].endswith(NOTHING)
    place.rule("gain_most", exact or not nothing, "the least", "of an open gain nothing is sure")
    if not exact and not reads_same:
        place.rule("gain_most", "most" in facts, "the most", "of an open gain the span is told")
    if tells:
        near = abs(gain - least) <= PROVEN
        place.rule("gain_least", near, f"{gain}", "a proven gain is its own span")


def _threshold(book: Book, row: Record, place: Place) -> None:
    """The price at which a step leaves, and how far its security then is from its target."""
    step = next((step for step in book.steps if step["n"] == row["n"]), None)
    place.rule("n", step is not None, "the number of a step", "a step of the plan")
    if step is None:
        return
    for key in ("symbol", "side"):
        place.same(key, step[key], f"{key} of the step")
    place.amount("price_now", step["price"], "price of the step")
    price, holding = row["price"], book.holdings.get(step["symbol"])
    facts = {"symbol": step["symbol"], "price": price, "off": row["off_target"]}
    facts["currency"] = None if price is None else step["currency"]
    if price is None:
        place.same("off_target", None, "no distance without a price")
    elif holding is not None:
        unit = holding["quantity"] * per_point(holding)
        value, target = book.value + unit * (price - step["price"]), holding["target"]
        off = None if target is None or value <= 0 else unit * price / value - target
        untold = row["off_target"] is None and _moves(book, holding)
        if not untold:
            place.number("off_target", off, "distance from target at that price")
    check_sentence(place, facts)


def _moves(book: Book, holding: Record) -> bool:
    """May its target be another one at another price? Then its distance may be left out."""
    derived = {row["name"] for row in book.doc["classes"] if not row["by_rows"]}
    lends = any(run["name"] == HARVEST for run in book.doc["modules"])
    return holding["class_name"] in derived or lends


def _relaxation(book: Book, row: Record, place: Place) -> None:
    """The smallest loosening of one limit under which a plan gets through."""
    place.number("now", _now(book, row["setting"]), AS_IT_IS)
    facts = {"setting": row["setting"], "now": row["now"], "then": row["then"]}
    check_sentence(place, {**facts, "gain": row["improvement"]})
