"""Words: every sentence is rendered again from its template and facts, and compared whole.

The sentences of the verdict and of the steps are composed again; the reasons in between are a
module's own, and only their rendering is judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from steelyard.plans.verify.bands import NAMED, outside, unanswered
from steelyard.plans.verify.book import (
    BUY,
    NEW_MONEY,
    NO_APPETITE,
    PROPOSALS,
    RUNNER_UP,
    SELL,
    SETTLED,
    ZERO,
    Book,
)
from steelyard.plans.verify.mode_words import chosen_by, held
from steelyard.plans.verify.nearness import WHOLE_MONEY, certified, change
from steelyard.plans.verify.tally import NUMBER_SLACK, Place, Record, Tally, number_of
from steelyard.plans.verify.tax_lots import gains_told
from steelyard.sentences import FORMATS, again, cased, fields

COUNTS = (
    *("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven"),
    *("Eight", "Nine", "Ten", "Eleven", "Twelve"),
)
PERCENT = 100
SAME_DRIFT = Decimal("0.0005")
LEAST_SHORT = Decimal("0.005")
CASH_SHORT, RESERVE_SHORT, CASH_LATE = "cash_short", "reserve_short", "cash_late"
NO_SALES = "and no list of sales was met that keeps the rules and brings all of it"
MAY_NOT_SELL = "and the plan may not sell (limits.allow_sell is off)"
MOST_NAMED = 3
TRADES_BLOCKED = "trades_blocked"
NOT_TRADED = {
    "buys_blocked": "Nothing is bought",
    "sales_blocked": "Nothing is sold",
    TRADES_BLOCKED: "Nothing is bought or sold",
}
"""Code of the problem of a filter that fails closed -> what is so not done."""
BLOCKED_SIDES = {
    "buys_blocked": {BUY}, "sales_blocked": {SELL}, TRADES_BLOCKED: {BUY, SELL},
}  # fmt: skip
MARGINAL = Decimal("0.001")
"""A step that adds less is called marginal."""
LEAST_DRIFT = Decimal("0.05")
"""Percentage points of drift that an order is said to move."""
DROP_ONE = "drop_one"
PAST = ("quarters", "median", "least", "most", "covered")
"""What the sentence on past predictions tells."""
SPACE = "\u00a0"
CASH = "Cash"
"""What the verdict calls the cash where a symbol could stand; no symbol has small letters."""
SMALL_BUY = "small_buy"
DERIVED_ELSEWHERE = {NO_APPETITE}
"""Rules whose number is not told in their sentence: it must be 0, which the orders hold."""

Derived = Mapping[str, object]
"""Fact by name -> what it must be."""


def check_words(book: Book, tally: Tally) -> None:
    """The verdict, each step, and each reason why something is not traded."""
    _verdict(book, tally)
    for n, step in enumerate(book.steps):
        _step(book, step, tally.at(f"steps[{n}]", step))
    for n, near in enumerate(book.doc["certificate"]["neighbours"]):
        place = tally.at(f"certificate.neighbours[{n}]", near)
        due = " and ".join(map(change, near["orders"]))
        place.same("change", due, "the words of a change are its orders")
    past = book.doc["score"]["foresight"]
    if past is not None:
        place = tally.at("score.foresight", past)
        check_sentence(place, {name: past[name] for name in PAST})
        ordered = 0 <= past["least"] <= past["median"] <= past["most"]
        place.rule("median", ordered, "between least and most", "a middle lies between the ends")
        share = 0 < past["covered"] <= 1 and past["quarters"] > 0
        place.rule("covered", share, "a share of quarters that were", "of a mix, and of quarters")
    for n, stop in enumerate(book.doc["not_traded"]):
        _stop(book, stop, tally.at(f"not_traded[{n}]", stop))


PLANNER_RULES = ("priority_threshold", "max_opportunities_per_category")
OF_INVESTED = "{group:text} is {weight:pct} of the invested part"
"""How a reason tells the share of a group."""
QUALITY, STEADINESS = "quality", "steadiness"
"""A term of the score, and what it is called for a security of which nobody gives the quality."""


def check_sentence(
    place: Place, derived: Derived, *, text: str = "text", template: str = "template"
) -> None:
    """A record with one sentence: text, template, facts; `derived` are facts that are figures."""
    check_text(place, text, template, case=True)
    check_facts(place, derived, template)


def check_text(place: Place, text: str, template: str, *, case: bool) -> None:
    """A text is its template filled with the facts."""
    try:
        due = again(place.row[template], place.row["facts"])
    except ValueError as error:
        place.rule(text, False, f"a sentence ({error})", "the words are template and facts")
        return
    place.same(text, cased(due) if case else due, "the words are template and facts")


def check_facts(place: Place, derived: Derived, *templates: str) -> None:
    """Every fact is asked for; one that is a figure of the plan is that figure."""
    facts, row = place.row["facts"], place.row
    try:
        asked = set[str]().union(*(fields(row[template]) for template in templates))
    except ValueError:
        return  # noted with the text
    at = place.tally.at(place.path("facts"), facts)
    idle = sorted(facts.keys() - asked)
    place.rule("facts", not idle, "only what its words ask for", "a fact stands in its sentence")
    name = "a fact is a figure of the plan"
    for key, due in derived.items():
        if key not in facts:
            continue
        number = number_of(facts[key])
        if isinstance(due, Decimal) and number is not None:
            figure = at.tally.at(at.where, {key: number})
            figure.number(key, due, name)
        else:
            at.same(key, due, name)


def _verdict(book: Book, tally: Tally) -> None:
    place, row = tally.at("verdict", book.doc["verdict"]), book.doc["verdict"]
    facts: dict[str, object] = {}
    place.same("template", _headline(book, facts), "the words of the verdict")
    short = list(_shortfalls(book, facts))
    waits = _waits(book, facts) if book.steps else ""
    _blocked(book, tally)
    _problems(book, [code for code, _ in short], tally)
    parts = (
        *(sentence for _, sentence in short),
        gains_told(book, facts),
        waits,
        unanswered(book, facts),
        _too_small(book, facts),
        _second(book, facts),
        _moved(book, facts),
        _furthest(book, facts),
        certified(book, facts),
        *chosen_by(book, facts),
        _without(book, facts),
    )
    due = " ".join(part for part in parts if part)
    place.same("detail_template", due, "the words of the verdict")
    check_text(place, "text", "template", case=False)
    check_text(place, "detail", "detail_template", case=False)
    check_facts(place, facts, "template", "detail_template")
    missing = sorted(facts.keys() - row["facts"].keys())
    place.rule("facts", not missing, f"{missing} too", "the facts of the verdict")


def _headline(book: Book, facts: dict[str, object]) -> str:
    """The template of the verdict; what it tells goes into `facts`."""
    doc, count = book.doc, len(book.steps)
    if not count:
        return _hold(book, facts)
    facts |= {
        "count": COUNTS[count] if count < len(COUNTS) else f"{count:,d}",
        "currency": doc["base_currency"],
        "cost": doc["costs"]["total"],
        "turnover": doc["turnover"],
    }
    trades = "trade" if count == 1 else "trades"
    lead = f"{outside(book, facts)} " if book.only_bands else ""
    act = f"Act. {lead}{{count:text}} {trades} {_brings(book, facts, '' if count > 1 else 's')}"
    return act + ", for {currency:text} {cost:money} in costs and {turnover:pct} turnover."


def _money(book: Book, invested: Decimal) -> str:
    """Whose money is put to work: more than was brought was there already."""
    if not book.brought:
        return "idle cash"
    return "new money" if invested <= book.brought else "new money and idle cash"


def _brings(book: Book, facts: dict[str, object], s: str) -> str:
    """What the trades do; `s` ends the verb of a single one."""
    doc = book.doc
    before, after = doc["drift"]["before"], doc["drift"]["after"]
    by_targets = before is not None and after is not None
    moves = by_targets and abs(after - before) >= SAME_DRIFT
    if by_targets:
        facts["after"] = after
    if moves:
        facts["before"] = PERCENT * before
    if book.is_short:
        return _raises(book, facts, s, moves=moves)
    invested = _traded(book, BUY) - _traded(book, SELL)
    if NEW_MONEY in doc["occasions"] and invested > 0 and by_targets:
        facts["invested"] = invested
        puts = f"put{s} {{currency:text}} {{invested:money}} of {_money(book, invested)} to work"
        if not moves:
            return f"{puts} and leave{s} drift at {{after:pp}}"
        return f"{puts} and take{s} drift from {{before:one}} to {{after:pp}}"
    if not by_targets:
        facts["gain"] = doc["score"]["improvement"]
        return f"add{s} {{gain:points}} points to the score, after charges"
    if moves:
        return f"take{s} drift from {{before:one}} to {{after:pp}}"
    if doc["second_half"] is not None:
        facts["sold"] = _traded(book, SELL)
        later = f"raise{s} {{currency:text}} {{sold:money}} for a later plan to spend once it has "
        return later + "settled; drift is {after:pp} until then"
    facts["gain"] = doc["score"]["improvement"]
    stays = f"leave{s} drift at {{after:pp}} and add{s} {{gain:points}} points to the score, "
    return stays + "after charges"


def _raises(book: Book, facts: dict[str, object], s: str, *, moves: bool) -> str:
    """What is done for cash that is short."""
    if not moves:
        facts.pop("after", None)
    if book.withdrawn:
        facts |= {"sold": _traded(book, SELL), "withdrawn": book.withdrawn}
        raised = f"raise{s} {{currency:text}} {{sold:money}} for withdrawals of {{withdrawn:money}}"
        return raised + f" and take{s} drift from {{before:one}} to {{after:pp}}" * moves
    base = book.doc["base_currency"]
    facts["cash_from"] = book.balances.get(base, ZERO)
    facts["cash_to"] = book.doc["cash_after"].get(base, ZERO)
    cash = f"bring{s} cash from {{currency:text}} {{cash_from:money}} to {{cash_to:money}}"
    return cash + " and drift from {before:one} to {after:pp}" * moves


def _too_small(book: Book, facts: dict[str, object]) -> str:
    """What new money does not buy, for the order would be too small."""
    small = (stop["symbol"] for stop in book.doc["not_traded"] if stop["rule"] == SMALL_BUY)
    names = [symbol for symbol in small if symbol not in book.step_of]
    if not names:
        return ""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    facts["small"] = ", ".join(names[:NAMED]) + more
    return "New money buys nothing of {small:text}: the order would be smaller than limits allow."


def _second(book: Book, facts: dict[str, object]) -> str | None:
    """What the second half of a plan is; its figures are held with the plan's own."""
    later = book.doc["second_half"]
    if later is None:
        return None
    bought = [step for step in later["steps"] if step["side"] == BUY]
    orders = "buys {later_buys:text}"
    if len(bought) < len(later["steps"]):
        facts["later_sales"] = _listed(later["steps"], SELL)
        orders = "sells {later_sales:text}, buys {later_buys:text}"
    facts |= {
        "later_on": later["on"].isoformat(),
        "later_buys": _listed(later["steps"], BUY),
        "later_amount": sum((step["notional_base"] for step in bought), ZERO),
        "later_drift": later["drift_after"],
        "currency": book.doc["base_currency"],
    }
    return (
        f"Its second half, once the sales have settled on {{later_on:date}}, {orders} "
        "for about {currency:text} {later_amount:money} and takes drift to {later_drift:pp}."
    )


def _listed(steps: Sequence[Record], side: str) -> str:
    """The orders of a side, the first few of many."""
    orders = [step for step in steps if step["side"] == side]
    named = [f"{FORMATS['qty'](step['quantity'])} {step['symbol']}" for step in orders]
    more = len(named) - MOST_NAMED
    return ", ".join([*named[:MOST_NAMED], *([f"{more} more"] if more > 0 else [])])


def _traded(book: Book, side: str) -> Decimal:
    return sum((step["notional_base"] for step in book.steps if step["side"] == side), ZERO)


def _shortfalls(book: Book, facts: dict[str, object]) -> Iterator[tuple[str, str]]:
    """(code, template) of cash that ends under 0 and of a reserve that is not met."""
    doc, base = book.doc, book.doc["base_currency"]
    after = doc["cash_after"]
    left = after.get(base, ZERO)
    why = NO_SALES if book.limits["allow_sell"] else MAY_NOT_SELL
    if left < 0:
        facts |= {"short_currency": base, "cash_left": left, "cash_missing": -left}
        yield (
            CASH_SHORT,
            (
                "Cash ends at {short_currency:text} {cash_left:money}: {cash_missing:money} is "
                f"missing, {why}."
            ),
        )
    owed = {currency: -amount for currency, amount in after.items() if amount < 0}
    owed.pop(base, None)
    if owed:
        facts["owed"] = ", ".join(f"{key} {owed[key]:,.2f}" for key in sorted(owed))
        yield CASH_SHORT, f"{{owed:text}} is missing, {why}."
    missing = doc["reserve"] + doc["open_buys"] - book.in_base(after)
    # of the reserve what was not there before flows no plan lacks
    never = max(doc["reserve"] - book.keeps, ZERO) if doc["flows"] else ZERO
    if missing - never >= LEAST_SHORT:
        figures = {"reserve_missing": missing, "reserve": doc["reserve"]}
        facts |= {**figures, "reserve_currency": base}
        yield (
            RESERVE_SHORT,
            (
                "Cash ends {reserve_missing:money} under the reserve of {reserve_currency:text} "
                "{reserve:money}."
            ),
        )
    gaps = [gap for currency in sorted(after) for gap in _late(book, currency)]
    if gaps:
        facts["late"] = "; ".join(gaps)
        yield (
            CASH_LATE,
            (
                "{late:text} of settled money is missing: a withdrawal leaves before what pays for "
                "it has settled."
            ),
        )


def _late(book: Book, currency: str) -> Iterator[str]:
    """What a withdrawal of a currency leaves settled money short of, and for which days."""
    taken_out = [r for r in book.doc["flows"] if r["currency"] == currency and r["amount"] < 0]
    rungs = [
        (row["date"], row["balance"])
        for row in book.doc["cash_ladder"]
        if (row["currency"], row["kind"]) == (currency, SETTLED)
    ]
    short = [day for day, balance in rungs if balance < 0]
    if taken_out and short and rungs[-1][1] >= 0:
        most = -min(balance for _, balance in rungs)
        days = short[0], min(day for day, _ in rungs if day > short[-1])
        since, until = (FORMATS["date"](day) for day in days)
        yield f"{currency} {FORMATS['money'](most)} from {since} until {until}"


def _problems(book: Book, due: list[str], tally: Tally) -> None:
    """What cash is short of stands among the problems, in the words of the verdict."""
    short = [
        row for row in book.doc["problems"] if row["code"] in {CASH_SHORT, RESERVE_SHORT, CASH_LATE}
    ]
    codes, name = [row["code"] for row in short], "what cash is short of is a problem"
    tally.rule("problems", codes == due, due, codes, name)
    sentences = " ".join(row["message"] for row in short)
    detail, name = book.doc["verdict"]["detail"], "the verdict tells what cash is short of first"
    tally.rule("verdict.detail", detail.startswith(sentences), sentences, detail, name)


def _waits(book: Book, facts: dict[str, object]) -> str:
    """What is not traded, for a filter that guards it does not work."""
    rows = [row for row in book.doc["problems"] if row["code"] in NOT_TRADED]
    if not rows:
        return ""
    facts["blocking"] = ", ".join(row["module"].rpartition(".")[2] for row in rows)
    codes = {row["code"] for row in rows}
    nothing = NOT_TRADED[codes.pop() if len(codes) == 1 else TRADES_BLOCKED]
    if len(rows) == 1:
        return f"{nothing}: the filter {{blocking:text}} does not work, so it lets nothing through."
    return f"{nothing}: the filters {{blocking:text}} do not work, so they let nothing through."


def _blocked(book: Book, tally: Tally) -> None:
    """No order on a side that a filter guards which does not work."""
    codes = {row["code"] for row in book.doc["problems"]}
    sides = {side for code, sides in BLOCKED_SIDES.items() if code in codes for side in sides}
    traded = sorted({step["side"] for step in book.steps} & sides)
    tally.rule("steps", not traded, f"none of {sorted(sides)}", traded, "what is blocked waits")


def _hold(book: Book, facts: dict[str, object]) -> str:
    waits = _waits(book, facts)
    if waits:
        return f"Hold. {waits}"
    if book.only_bands:
        return f"Hold. {outside(book, facts)}"
    if book.by_mode and book.doc["outlook"]["given_up"] is not None:
        return held(book, facts)
    proposals = book.doc["certificate"]["scope"] == PROPOSALS
    others = book.doc["alternatives"]
    best = next((other for other in others if other["name"] == f"{RUNNER_UP}1"), None)
    if best is not None:
        best_of = f"Hold. The best {'proposal' if proposals else 'plan found'}"
        return f"{best_of} {_passed_over(book, best, facts)}"
    calculators = book.settings["modules"].get("opportunity_calculators", ())
    off = book.by_targets and all(row["name"] != "weight_based" for row in calculators)
    unaided = " The calculator weight_based, which trades towards targets, is off." if off else ""
    near = [row for row in book.doc["certificate"]["neighbours"] if row["feasible"]]
    if book.by_quantities and near:
        facts["nearest"] = near[0]["improvement"]
        return (
            "Hold. Every order list found loses by the score: the nearest, which fits lots, cash "
            f"and limits, changes it by {{nearest:spoints}} points after charges.{unaided}"
        )
    return f"Hold. {_nothing(book, proposals=proposals)}{unaided}"


def _nothing(book: Book, *, proposals: bool) -> str:
    """Why there is no list to choose."""
    if book.by_quantities and book.doc["candidates"]:
        return "No order fits lots, cash and limits."
    if book.doc["candidates"] and proposals:
        return "The modules propose no plan that fits the cash and the limits."
    if book.doc["candidates"]:
        return "No order in question fits the cash and the limits."
    if book.by_targets:
        return (
            "No order takes a holding towards its target, and not past it, within lots, limits "
            "and the least order."
        )
    return "No calculator proposes an order that fits lots, limits and the least order."


def _passed_over(book: Book, best: Record, facts: dict[str, object]) -> str:
    """What the best plan that is not worth it would do."""
    facts |= {"gain": best["improvement"], "least": book.doc["score"]["min_improvement"]}
    asked = "{gain:spoints} points after charges; {least:points} are asked for."
    before, after = book.doc["drift"]["before"], best["drift_after"]
    if before is None or after is None or abs(after - before) < SAME_DRIFT:
        return f"changes the score by {asked}"
    facts |= {"before": PERCENT * before, "after": after, "cost": best["cost"]}
    facts["currency"] = book.doc["base_currency"]
    does = "would take drift from {before:one} to {after:pp}, for {currency:text} {cost:money}"
    return f"{does} in costs; it changes the score by {asked}"


def _moved(book: Book, facts: dict[str, object]) -> str:
    """What moves most; of several as large, the one that is named."""
    if not book.steps:
        return ""
    most = max(step["notional_base"] for step in book.steps) * (1 - NUMBER_SLACK)
    moved = [step for step in book.steps if step["notional_base"] >= most]
    named = book.doc["verdict"]["facts"].get("moved")
    step = next((step for step in moved if step["symbol"] == named), moved[0])
    weights = {"from_weight": step["weight_before"], "to_weight": step["weight_after"]}
    facts |= {"moved": step["symbol"], **weights}
    return "{moved:text} moves most, from {from_weight:pct} to {to_weight:pct} of value."


def _furthest(book: Book, facts: dict[str, object]) -> str:
    """What stays furthest from its target, where that is worth an order."""
    if not book.by_targets:
        return ""
    after = {row["symbol"]: row["weight"] for row in book.doc["holdings_after"]}
    targets = {symbol: row["target"] or ZERO for symbol, row in book.holdings.items()}
    off = {symbol: after.get(symbol, ZERO) - target for symbol, target in targets.items()}
    absent = {row["symbol"]: row for row in book.doc["drift"]["absent"]}
    off |= {symbol: -row["target"] for symbol, row in absent.items()}
    off[CASH] = book.cash_weight_after - book.target_cash
    largest = max(map(abs, off.values()))
    named = str(book.doc["verdict"]["facts"].get("furthest"))
    if abs(off.get(named, ZERO)) < largest - NUMBER_SLACK:
        named = max(off, key=lambda symbol: abs(off[symbol]))
    hurdle = book.thresholds["order_hurdle"]
    silent = "furthest" not in book.doc["verdict"]["facts"]
    # on the hurdle itself rounding decides; without any row the planning set may be empty
    unsure = largest <= hurdle + NUMBER_SLACK or not (book.holdings or book.candidates)
    if largest <= hurdle - NUMBER_SLACK or (unsure and silent):
        return ""
    facts |= {"furthest": named, "off": abs(off[named])}
    way, why = "over" if off[named] > 0 else "under", ""
    if named in absent:
        facts["why"], why = absent[named]["why"], ": {why:text}"
    return "{furthest:text} stays furthest from its target, {off:pp} " + f"{way} it{why}."


def _without(book: Book, facts: dict[str, object]) -> str:
    runs = book.doc["modules"]
    missing = [run["name"] for run in runs if run["outcome"] in {"failed", "disabled"}]
    if not missing:
        return ""
    facts |= {"missing": Decimal(len(missing)), "without": ", ".join(missing)}
    what = "module that failed or is" if len(missing) == 1 else "modules that failed or are"
    return f"The plan is without {{missing:count}} {what} out of service: {{without:text}}."


def _step(book: Book, step: Record, place: Place) -> None:
    holding = book.holdings.get(step["symbol"])
    if holding is None:
        return  # noted with the orders
    sells, target = step["side"] == SELL, holding["target"]
    facts: dict[str, object] = {
        "act": "Sell" if sells else "Buy",
        "shares": step["quantity"],
        "symbol": step["symbol"],
        "currency": book.doc["base_currency"],
        "notional": step["notional_base"],
        "weight_before": step["weight_before"],
        "weight_after": step["weight_after"],
    }
    worth = _worth(book, step, facts)
    whole = sells and step["quantity"] == holding["quantity"]
    shares = "all {shares:qty}" if whole else "{shares:qty}"
    if sells and not whole:
        shares, facts["held"] = "{shares:qty} of {held:qty}", holding["quantity"]
    weight = "Its weight goes from {weight_before:pct} to {weight_after:pct}"
    if target is not None:
        weight, facts["target"] = weight + ", target {target:pct}", target
    lead = f"{{act:text}} {shares} {{symbol:text}} for {{currency:text}} {{notional:money}}: "
    due = f"{lead}{step['reason_template']}. {weight}. {worth}"
    place.same("template", due, "the words of a step")
    _reason(book, step, place)
    _group_share(book, step, place)
    check_text(place, "reason", "reason_template", case=False)
    check_text(place, "narrative", "template", case=False)
    check_facts(place, facts, "template")


def _group_share(book: Book, step: Record, place: Place) -> None:
    """What a reason says that a group is of the invested part, it is: by sectors or countries."""
    label, weight = step["facts"].get("group"), number_of(step["facts"].get("weight"))
    if OF_INVESTED not in step["reason_template"] or weight is None:
        return
    shares = [book.invested_in(part, label) for part in ("sectors", "countries")]
    near = any(abs(weight - share) <= NUMBER_SLACK for share in shares)
    place.rule("facts", near, f"{label} at one of {shares}", "a group has its share")


def _reason(book: Book, step: Record, place: Place) -> None:
    """A reason names a term of the score, then one of those who proposed the order."""
    lead, facts = list[str](), step["facts"]
    if "term" in facts:
        lead = ["for {term:text}"]
        terms = [term["name"].replace("_", " ") for term in book.doc["score"]["terms"]]
        terms += [STEADINESS] * (QUALITY in terms)
        place.rule("facts", facts["term"] in terms, terms, "a reason names a term of the score")
    if "asked_by" in facts:
        lead.append("by {asked_by:text}")
        due = step["proposed_by"]
        place.rule("facts", facts["asked_by"] in due, due, "a reason names who proposed the order")
    words = f"{', '.join(lead)}: " if lead else ""
    begins = step["reason_template"].startswith(words)
    place.rule(
        "reason_template", begins, words, "a reason names what decides, then who proposed it"
    )


def _worth(book: Book, step: Record, facts: dict[str, object]) -> str:
    """What the plan loses without the order; a sale may only bring the money."""
    adds = step["adds"]
    score, money, drift = adds["score"], adds["base_per_year"], adds["drift_pp"] or ZERO
    alone = adds["how"] == DROP_ONE
    if score < 0 and step["side"] == SELL and alone:
        does = "pays what is owed" if book.is_short else "funds the buys"
        return f"It {does}: without it the money would be missing."
    facts["adds"], weighs = score, ""
    if money is not None:
        facts["worth"] = money
        form = "whole" if abs(money) >= WHOLE_MONEY else "money"
        weighs = f"like {{currency:text}} {{worth:{form}}} a year ({{adds:points}} points)"
    if score < MARGINAL:
        how_much = f"the score weighs it {weighs}" if weighs else "it adds {adds:points} points"
        return f"It is marginal: {how_much}."
    whole = "Without it, the other orders as they are, the plan" if alone else ""
    lead = f"{whole or 'Without it the best plan'} would"
    if abs(drift) < LEAST_DRIFT:
        worse = f"be worse by what the score weighs {weighs}"
        return f"{lead} {worse if weighs else 'lose {adds:points} points'}."
    facts["drift"] = abs(drift)
    lead += f" have {{drift:one}}{SPACE}pp {'more' if drift > 0 else 'less'} drift"
    loss = f"; the score weighs the loss {weighs}" if weighs else " and {adds:points} points less"
    return f"{lead}{loss}."


def _stop(book: Book, stop: Record, place: Place) -> None:
    """A number, its limit and the margin between them; one that stands alone is told."""
    value, limit = stop["value"], stop["limit"]
    margin = None if value is None or limit is None else value - limit
    place.number("margin", margin, "margin = value - limit")
    numbers = [n for n in map(number_of, stop["facts"].values()) if n is not None]
    for key in ("value", "limit") if margin is None else ():
        figure = stop[key]
        if figure is not None and stop["rule"] not in DERIVED_ELSEWHERE:
            near = any(abs(abs(number) - abs(figure)) <= NUMBER_SLACK for number in numbers)
            place.rule(key, near, "one of the facts", "a number that stands alone is told")
    planner = book.settings["planner"]
    if stop["rule"] in PLANNER_RULES:
        place.number(
            "limit", planner[stop["rule"]], "a rule of [planner] is as the strategy sets it"
        )
    derived: dict[str, object] = {"symbol": stop["symbol"]}
    shares = number_of(stop["facts"].get("shares"))
    if shares is not None:
        of_one = (stop["symbol"], stop["side"], shares) in book.table
        step = book.step_of.get(stop["symbol"])
        of_one |= step is not None and step["quantity"] == shares
        name = "shares in words are those of a candidate or a step"
        # what was merged into an order that a filter stopped is told before pairs are
        of_one |= (stop["symbol"], stop["side"]) in book.filtered
        place.rule("facts", of_one, "shares of a candidate", name)
    check_sentence(place, derived, text="reason")
