"""An independent second opinion on a plan document: what it says is derived anew, in decimals, from
what it holds.

In: a document. Out: a Report of every figure and rule that was checked, and of what could not be.
Nothing of the plan group is imported, so a mistake there cannot repeat itself here.

    reading   text to a document, or why it is none; its id
    form      which fields of which kind
    tally     checks and how close figures must be
    book      the document in decimals
    account   holdings, lots, weights, rates, cash, reserve, ladder
    orders    candidates, steps, costs, limits, masks, lots sold, conversions
    figures   score, charges, drift, turnover, alternatives, certificate, the strategy's rules
    words     verdict, narratives and reasons: their numbers are facts, and the facts are figures
    explanation   what would change the plan: settings, prices, money, words
    what_if   partial fills and loosened rules: quantities, cash, sums, words
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import localcontext
from typing import Any

from steelyard.plans.verify import form
from steelyard.plans.verify.account import check_account
from steelyard.plans.verify.book import Book
from steelyard.plans.verify.explanation import check_explanation
from steelyard.plans.verify.figures import check_figures, check_rules
from steelyard.plans.verify.orders import check_orders
from steelyard.plans.verify.reading import content_id, load
from steelyard.plans.verify.tally import ID, Check, Report, Tally
from steelyard.plans.verify.what_if import check_what_if
from steelyard.plans.verify.words import check_words

__all__ = ["Check", "Report", "check", "load", "summary"]

PRECISION = 60
"""Digits of every calculation; amounts were calculated with 28."""

ALWAYS_BEYOND = {
    "what the score terms, gains, adds and priorities are worth": (
        "scores need the estimates, and those the price history"
    ),
    "that the bound is one": "a proof is not searched again, only its sums are",
    "prices, rates, quantities, targets and dates themselves": (
        "they are inputs; inputs_sha256 is their hash, and the files are not here"
    ),
    "how much of each buy the state of the bucket lets through": (
        "its budget, its high-water mark and its aggression are not here"
    ),
    "how fresh the prices are": "the sessions of the price file are not here",
    "timings, nodes, seconds, warnings": (
        "they say how the plan was made, and are not part of its id, nor is an explanation"
    ),
}


def check(document: Mapping[str, Any]) -> Report:
    """Derive every figure of a plan document that can be derived from it, and compare.

    document   as `load` returns it or `Plan.document()` gives it
    A document that has not the form of a plan is reported so, and nothing more is derived.
    """
    tally = Tally()
    tally.same("plan_id is the hash of the content", ID, content_id(document), document.get(ID))
    with localcontext() as context:
        context.prec = PRECISION
        shaped = Tally()
        read = form.read(document, shaped)
        tally.checks += shaped.checks
        if read is None:
            tally.skip("everything else", "the document has not the form of a plan")
            return tally.report()
        book = Book(read, document)
        check_rules(book, tally)
        check_account(book, tally)
        check_orders(book, tally)
        check_figures(book, tally)
        check_words(book, tally)
        check_explanation(book, tally)
        check_what_if(book, tally)
    for what, why in {**shaped.skipped, **ALWAYS_BEYOND}.items():
        tally.skip(what, why)
    return tally.report()


def summary(report: Report) -> str:
    """One line: how many figures were derived anew, and whether they agree."""
    failed, total = len(report.failed), len(report.checks)
    if not failed:
        return f"checked: {total:,d} figures re-derived, all agree"
    return f"{failed:,d} of {total:,d} figures {'disagrees' if failed == 1 else 'disagree'}"
