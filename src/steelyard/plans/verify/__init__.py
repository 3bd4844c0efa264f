"""An independent second opinion on a plan document: what it says is derived anew, in decimals.

In: a document. Out: a Report of what does not agree, and of every field and matter that could not
be checked. Nothing of the plan group is imported, so a mistake there cannot repeat itself here.

    reading     text to a document, or why it is none; its id
    form        which fields of which kind: the packaged JSON Schema
    tally       checks and how close figures must be
    book        the document in decimals
    rules       the strategy's rules, modules, regime and scope
    account     holdings, lots, weights, rates, cash, reserve, ladder
    classes     their weights, and targets of their members
    orders      candidates, steps, costs, limits, masks, lots sold, conversions
    occasions   what is traded whatever the score gains: new money
    bands       edges, what is outside, what is traded for it
    lists       what binds an order by itself, and the orders of a list together
    tax_lots    which lots are sold by the method, what they realise, budget and tax
    charges     what an improvement is charged, and what a score is worth in money
    conversions money that is converted, every balance after
    second_half what a plan that only sells is half of
    figures     score, charges, drift, turnover, what steps add, alternatives
    certificate bound, gap, status, neighbours
    modes       what else than the score of today chose: lists beside, paths, shocks, horizons
    frontier    that none of it is beaten, and the choice from it
    mode_words  words on these, from settings_of_modes and the document
    nearness    words on how far the plan is from the best, and on its neighbours
    words       verdict, narratives and reasons: rendered again from template and facts
    answers     partial fills, loosened rules, what would change the plan
    unchecked   which fields a change may go unseen in, and why
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from decimal import localcontext
from typing import Any

from steelyard.plans.verify.account import check_account
from steelyard.plans.verify.answers import check_answers
from steelyard.plans.verify.bands import check_bands
from steelyard.plans.verify.book import Book
from steelyard.plans.verify.certificate import check_certificate
from steelyard.plans.verify.classes import check_classes
from steelyard.plans.verify.figures import check_figures
from steelyard.plans.verify.form import Reading, read
from steelyard.plans.verify.modes import check_modes
from steelyard.plans.verify.occasions import check_occasions
from steelyard.plans.verify.orders import check_orders
from steelyard.plans.verify.reading import content_id, load
from steelyard.plans.verify.rules import check_rules
from steelyard.plans.verify.second_half import check_second_half
from steelyard.plans.verify.tally import ID, Check, Report, Tally
from steelyard.plans.verify.unchecked import BEYOND, UNKNOWN, in_short, unchecked
from steelyard.plans.verify.words import check_words

__all__ = ["Check", "Report", "check", "left_out", "load", "not_read", "summary"]

PRECISION = 60
"""Digits of every calculation; amounts were calculated with 28."""


EARLIER: Mapping[str, str] = {
    "sentences": "the document is of an earlier version, whose sentences were others",
    "fields that came later": "the document was written before there were any",
    "conversions, cash after": "before, a foreign order converted all of its money",
}
"""What is not derived of a document of an earlier version, and why."""
IDLE = {"strategy.settings.evaluation"}
"""What a document of this version leaves out too, where it would do nothing."""
OTHERWISE = ("conversions", "cash_after")
"""Fields whose rule was another in the version before."""


def check(document: Mapping[str, Any]) -> Report:
    """Derive every figure of a plan document that can be derived from it, and compare.

    document   as `load` returns it or `Plan.document()` gives it
    A document that has not the form of a plan is reported so, and nothing more is derived.
    """
    tally, reading = Tally(), Reading()
    due, own = content_id(document), document.get(ID)
    tally.rule(ID, due == own, due, own, "plan_id is the hash of the content")
    with localcontext() as context:
        context.prec = PRECISION
        doc = read(document, reading)
        for where, kind, value in reading.misfits:
            tally.rule(where, False, kind, value, "has the form of a plan")
        if reading.misfits:
            tally.skip("everything else", "the document has not the form of a plan")
        else:
            reading.seen[""] |= {ID, "schema", "columnar"}  # held above, and by the form
            _derive(Book(doc), document, tally, reading.later - IDLE)
    fields = () if reading.misfits else tuple(unchecked(reading))
    beyond = {**tally.skipped, **BEYOND}
    return Report(tally.checked, tuple(tally.failed), fields, tuple(beyond.items()))


def _derive(book: Book, document: Mapping[str, Any], tally: Tally, later: Collection[str]) -> None:
    check_rules(book, document["strategy"]["settings"], tally)
    check_account(book, tally)
    check_classes(book, tally)
    check_orders(book, tally)
    check_second_half(book, tally)
    check_occasions(book, tally)
    check_bands(book, tally)
    check_figures(book, tally)
    check_certificate(book, tally)
    check_modes(book, tally)
    check_answers(book, tally)
    if not later:
        check_words(book, tally)
        return
    fields = re.compile(f"(?:{'|'.join(map(re.escape, (*later, *OTHERWISE)))})(?!\\w)")
    tally.failed = [check for check in tally.failed if not fields.match(check.where)]
    for what, why in EARLIER.items():
        tally.skip(what, why)


def summary(report: Report) -> str:
    """One line: how many figures were derived anew, and whether they agree."""
    failed, total = len(report.failed), report.checked
    if not failed:
        return f"checked: {total:,d} figures re-derived, all agree"
    return f"{failed:,d} of {total:,d} figures {'disagrees' if failed == 1 else 'disagree'}"


def left_out(report: Report) -> str:
    """One line: the fields of the document that were not checked, by name."""
    return in_short(name for name, why in report.unchecked if why != UNKNOWN)


def not_read(report: Report) -> list[str]:
    """Fields that this version does not know: of a later one, or misspelt."""
    return [name for name, why in report.unchecked if why == UNKNOWN]
