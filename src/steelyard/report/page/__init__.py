"""The report: one self-contained HTML file without script, requests or clock.

1. withhold what the second opinion refutes   verify.check
2. one record per exhibit                     report.exhibits
3. lay them out                               templates/page.html, sections/, charts.html
4. embed style, fonts, plan document          look, below

Records carry numbers, templates format and escape them: every string of the document is untrusted.
"""

from __future__ import annotations

import json
import re
from typing import Any

from markupsafe import Markup

from steelyard.errors import InternalError
from steelyard.plans import verify
from steelyard.plans.plan import Plan
from steelyard.report import visible
from steelyard.report.exhibits import (
    alternatives,
    certificate,
    classes,
    ladder,
    neighbours,
    notes,
    outlook,
    prices,
    proposers,
    regime,
    stopped,
    trades,
    waterfall,
    weights,
    what_if,
    words,
)
from steelyard.report.page.look import environment, style

DOCUMENT_BYTES = 150_000
"""Largest plan document that travels inside its report."""
HASH = re.compile("[0-9a-f]{64}")
SHORT = 16


def render(plan: Plan, opinion: verify.Report | None = None, account: str = "") -> str:
    """The report of a plan as HTML text; the same plan gives the same bytes.

    opinion   what `verify.check` says of its document; None asks it
    account   whose plan it is; "" = that of its bucket
    Raises InternalError when a figure of the document disagrees: then nothing may be shown.
    """
    document = embedded(plan)
    page = environment().get_template("page.html")
    return page.render(
        **exhibits_of(plan, opinion),
        whose=account or plan.bucket,
        style=style(),
        footer=Markup(_page_footer(plan)),  # noqa: S704 hexadecimal digits or nothing
        document=(Markup(document) if document is not None else None),  # noqa: S704 escaped
    )


def exhibits_of(plan: Plan, opinion: verify.Report | None = None) -> dict[str, Any]:
    """Every exhibit of a plan by the name that templates/sections/ calls it; see `render`."""
    opinion = opinion or verify.check(plan.document())
    _withhold(opinion)
    ahead = outlook.outlook(plan)
    return {
        "plan": plan,
        "verdict": _verdict(plan),
        "box": certificate.box(plan),
        "near": neighbours.neighbours(plan),
        "worth": trades.worth_of(plan),
        "trades": trades.trades(plan),
        "first": notes.first(plan),
        "notes": notes.rest(plan),
        "classes": classes.classes(plan),
        "weights": weights.weights(plan),
        "score": waterfall.score(plan),
        "cost": waterfall.cost(plan),
        "ahead": ahead,
        "details": outlook.paragraphs(plan, ahead),
        "cash": ladder.cash(plan),
        "prices": prices.prices(plan),
        "weighed": alternatives.weighed(plan),
        "against": alternatives.BESIDE,
        "stopped": stopped.stopped(plan),
        "what_if": what_if.what_ifs(plan),
        "regime": regime.regime(plan),
        "would": what_if.would(plan),
        "coverage": _coverage(plan),
        "noticed": _noticed(plan),
        "credits": proposers.credited(plan),
        "checked": verify.summary(opinion),
        "unchecked": verify.left_out(opinion),
    }


def of_account(plan: Plan, account: str) -> str:
    """The report of an account of several; see `render`."""
    return render(plan, account=account)


def _withhold(opinion: verify.Report) -> None:
    """Raise InternalError for the first figure that does not agree."""
    for check in opinion.failed[:1]:
        both = f"expected {check.expected or 'nothing'}, found {check.found or 'nothing'}"
        figure = f"at {check.where}, {check.name}: {both} ({verify.summary(opinion)})"
        advice = "The plan document may not be used either. Please report this."
        raise InternalError(
            f"The report was not written: {figure}. {advice}",
            code="second_opinion_differs",
            place=check.where,
            value=check.found,
            limit=check.expected,
            hint=advice,
        )


def embedded(plan: Plan) -> str | None:
    r"""The plan document for a script element, without what differs between two runs; None if huge.

    `</` is written `<\/` and any other `<` as an escape, so that no text ends the element or opens
    a comment in it; controls are escapes too. What is left out is outside the plan id, which can
    still be checked.
    """
    document = plan.document()
    document["timings"], document["transport"] = [], None
    document["certificate"] |= {"seconds": None, "nodes": None}
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    text = visible(re.sub("<(?!/)", r"\\u003c", text).replace("</", "<\\/"))
    return text if len(text.encode("utf-8")) <= DOCUMENT_BYTES else None


def _verdict(plan: Plan) -> tuple[str, str]:
    """The first word with its stop, and the rest of the sentence."""
    head, stop, rest = plan.verdict.text.partition(". ")
    return (head + ".", rest) if stop else ("", plan.verdict.text)


def _coverage(plan: Plan) -> str:
    kinds = words.counted(len({entry.metric for entry in plan.data_coverage}), "kind")
    symbols = len({entry.symbol for entry in plan.data_coverage})
    securities = words.lower(words.counted(symbols, "security", "securities"))
    return f"{kinds} of data missing for {securities}"


def _noticed(plan: Plan) -> str:
    warnings = words.lower(words.counted(len(plan.warnings), "warning"))
    return f"{words.counted(len(plan.problems), 'problem')}, {warnings}"


def _page_footer(plan: Plan) -> str:
    """Plan id for the margin of printed pages: hexadecimal digits only, as it is inside a style."""
    return f"Plan {plan.plan_id[:SHORT]}" if HASH.fullmatch(plan.plan_id) else "Plan"
