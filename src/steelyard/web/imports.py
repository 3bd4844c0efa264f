"""`/import`: a broker's file to a first plan in three steps: read, choose targets, load and plan.

What was handed over stays in a draft from step to step, so that a mistake in one field costs
nothing of the others. What a file says, what is refused and why are the importers' own sentences.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cache, partial
from typing import Annotated, Literal, cast

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request, Response

from steelyard.errors import Fault, InputError, RejectedRow, SteelyardError
from steelyard.importers import Inputs, Reading
from steelyard.importers.book import name_of
from steelyard.importers.brokers import generic
from steelyard.importers.files import read_statement
from steelyard.importers.limits import limits_from
from steelyard.importers.mapping import ImportMapping, own_mapping, read_mapping
from steelyard.importers.memory import Memory
from steelyard.importers.preview import Preview, accounts_of, preview, remarks, summary, value_of
from steelyard.importers.registry import WITHOUT_IMPORTER, forms
from steelyard.importers.statement import Source, Statement
from steelyard.importers.values import BadCell, day, normal
from steelyard.runs.brought import Aims, Brought, inputs, load, pasted, valued
from steelyard.services.api.fields import Here
from steelyard.services.api.keeping import planned
from steelyard.services.house import House
from steelyard.services.problems import status_of
from steelyard.services.security.callers import Caller
from steelyard.services.security.roles import needs
from steelyard.store.assignments import CORE
from steelyard.store.buckets import Held, buckets
from steelyard.store.inputs import portfolio_of
from steelyard.web import drafts
from steelyard.web.drafts import Draft
from steelyard.web.forms import Form, Posted
from steelyard.web.route import Page
from steelyard.web.shell import page

router = APIRouter(route_class=Page, include_in_schema=False)

TABLES = ("holdings", "targets", "prices", "securities", "fx", "index")
"""Files that are taken, by the option of the command line."""
OPTIONS = {
    "--as": "form",
    "--account": "account",
    "--base": "base",
    "--as-of": "as_of",
    "--cash": "cash",
    "--moved": "moved",
    "--exclude": "exclude",
    "--accept-price": "accept_price",
    **{f"--{name}": name for name in TABLES},
}
"""Place of a fault -> the field that answers it."""
TWO_READINGS = "two_readings"
"""Code of a number that is one thing with a decimal point and another with a comma."""
WHICH_CURRENCY = "which_currency"
"""Code of a number with a $ or ¥ that may be of several currencies."""
COLUMNS_BY_HAND = "Choose which column has what, under How the file of holdings is read."
HELP = {
    "unknown_file": COLUMNS_BY_HAND,
    "no_mapping": COLUMNS_BY_HAND,
    "missing_column": COLUMNS_BY_HAND,
    "no_column": COLUMNS_BY_HAND,
    "no_number": "Numbers with a decimal comma, such as 131,20, are read by the form any table "
    "with a header: choose it under How the file of holdings is read, and read again.",
}
"""Code -> where on this page it is answered; the importers' own sentences name command options."""
MOST_READ = 2
"""Sets of files that are read at once."""
MOST_ROWS = 500
"""Holdings that the page lists."""
CANNOT_BE_READ = "cannot be read yet"


@dataclass(frozen=True, slots=True)
class Row:
    """A holding as the page lists it; value in base currency and weight where both are known."""

    symbol: str
    name: str
    quantity: Decimal
    price: Decimal | None
    currency: str
    value: Decimal | None
    weight: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a draft comes to so far.

    seen      the file of holdings; None = none, or it cannot be read
    columns   of its header
    owned     what a plan would be made from; None = not yet
    faults    what is to be answered first
    readings, signs, nameless   its lines that a question answers: decimal sign, $ or ¥, no symbol
    """

    seen: Preview | None = None
    accounts: Sequence[str] = ()
    columns: Sequence[str] = ()
    owned: Inputs | None = None
    rows: Sequence[Row] = ()
    cash: Sequence[tuple[str, Decimal]] = ()
    value: Decimal | None = None
    notes: Sequence[str] = ()
    faults: Sequence[Fault] = ()
    readings: Sequence[RejectedRow] = ()
    signs: Sequence[RejectedRow] = ()
    nameless: Sequence[RejectedRow] = ()

    @property
    def helps(self) -> Sequence[str]:
        """Where on the page its faults are answered, each once."""
        texts = (HELP[fault.code] for fault in self.faults if fault.code in HELP)
        return list(dict.fromkeys(texts))

    @property
    def by_hand(self) -> bool:
        """Is it answered by how the file is read?"""
        return any(fault.code in HELP for fault in self.faults)

    @property
    def currencies(self) -> Sequence[str]:
        """What a sign of money may mean that nobody explained."""
        return (self.signs[0].limit or "").split(", ") if self.signs else ()

    @property
    def answers(self) -> Mapping[str, str]:
        """Field -> what is wrong with what is in it."""
        places = ((fault.place.partition(" ")[0], fault.message) for fault in self.faults)
        return {OPTIONS[place]: text for place, text in places if place in OPTIONS}


@router.get("/import")
async def show(
    request: Request,
    here: Here,
    by: Annotated[Caller, needs("planner")],
    draft: str = "",
    bucket: str = "",
) -> Response:
    """What does this file hold, and what is to be done with it?"""

    def shown() -> Response:
        drafts.prune(here)
        if not draft:
            return _page(request, here, Draft("", "", {"bucket": bucket}, {}), Look())
        entry = drafts.open_draft(here, by, draft)
        return _page(request, here, entry, look(here, entry))

    return await to_thread.run_sync(shown, limiter=_readers(request) if draft else None)


@router.post("/import", dependencies=[needs("planner")])
async def read(request: Request, here: Here, form: Posted) -> Response:
    """Read what was handed over, and show it."""
    draft_id = form.text("draft") or drafts.new_id()
    looks: list[tuple[Draft, Look]] = []

    def work() -> str:
        draft = drafts.of_form(here, form, draft_id)
        seen = look(here, draft)
        looks.append((draft, seen))
        if seen.faults:
            raise InputError(
                "The files cannot be loaded as they are. Nothing was loaded.",
                code="import_asks",
                faults=seen.faults,
            )
        return f"/import?draft={draft.id}"

    try:
        return await form.once(work, _readers(request))
    except SteelyardError as error:
        again = partial(_again, request, here, form, draft_id, error, looks=looks)
        return await to_thread.run_sync(again, limiter=_readers(request))


@router.post("/import/load", dependencies=[needs("planner")])
async def load_and_plan(request: Request, here: Here, form: Posted) -> Response:
    """Set what the bucket owns, plan it, and go to the plan."""
    draft_id = form.text("draft") or drafts.new_id()
    loaded: list[str] = []

    def work() -> str:
        draft = drafts.of_form(here, form, draft_id)
        brought = brought_of(here, draft)
        load(here.store(), brought, _today(here))
        loaded.append(brought.bucket)
        plan = planned(here, brought.bucket, 0).plan
        drafts.drop(here, draft)
        return f"/plans/{plan.plan_id}"

    try:
        async with here.planning:
            return await form.once(work)
    except SteelyardError as error:
        again = partial(_again, request, here, form, draft_id, error, loaded)
        return await to_thread.run_sync(again)


def look(house: House, draft: Draft) -> Look:
    """What a draft comes to; what is wrong with it stands in `faults`; blocks."""
    if "holdings" not in draft.files and not draft.text("cash"):
        missing = InputError(
            "Choose the file that your broker gives of your holdings. Nothing was read.",
            code="no_holdings_chosen",
            place="--holdings",
            hint="choose a file",
        )
        return Look(faults=missing.faults)
    try:
        brought = brought_of(house, draft)
    except SteelyardError as error:
        return Look(faults=error.faults)
    seen = _statement(house, brought)
    if seen.faults or seen.readings:
        return seen
    try:
        result = inputs(house.store(), brought, _today(house))
        return _valued(seen, result.inputs, result.before.said)
    except SteelyardError as error:
        return replace(seen, faults=error.faults)


def brought_of(house: House, draft: Draft) -> Brought:
    """What the fields and files of a draft say; raises InputError."""
    tables = {
        name: Memory(draft.files[name].name, draft.files[name].content)
        for name in TABLES
        if name in draft.files
    }
    pasted_table = pasted(draft.text("targets_text"))
    if pasted_table is not None:
        tables["targets"] = pasted_table
    base = draft.text("base").upper() or None
    bucket = draft.text("bucket") or CORE
    held = next((row for row in buckets(house.store()) if row.name == bucket), None)
    aims = aims_of(draft, held)
    if aims == "file" and "targets" not in tables:
        raise InputError(
            "Targets of a table were chosen, and there is no table. Nothing was loaded. Choose a "
            "file of symbol,weight, paste one, or plan with other targets.",
            code="no_table_of_targets",
            place="--targets",
            hint="choose a file of targets, or paste one",
        )
    return Brought(
        bucket=bucket,
        tables=tables,
        reading=Reading(
            form=draft.text("form") or None,
            columns=draft.named("map."),
            mapping=own_mapping(house.home),
            account=draft.text("account") or None,
            base=base,
            decimal=_decimal(draft.text("decimal")),
            sign=draft.text("sign"),
            limits=limits_from(house.variables),
        ),
        aims=aims,
        base=base,
        as_of=_day(draft.text("as_of")),
        cash=_listed(draft.text("cash")),
        exclude=[*_listed(draft.text("exclude")), *draft.named("leave.").values()],
        accept_price=_listed(draft.text("accept_price")),
        moved=_moved(draft, base or (held.base_currency if held else None)),
        whole=bool(draft.text("whole")),
    )


def aims_of(draft: Draft, held: Held | None) -> Aims:
    """Which targets are meant: those that were chosen, else given, else there before."""
    chosen, loaded = draft.text("aims"), held is not None and held.portfolio is not None
    if chosen in {"weights", "file", "none"} or (chosen == "stay" and loaded):
        return cast(Aims, chosen)
    if draft.has_targets:
        return "file"
    files = held.files if held is not None and loaded else ()
    return "stay" if any(entry["option"] == "--targets" for entry in files) else "weights"


def _statement(house: House, brought: Brought) -> Look:
    """The file of holdings as it reads by itself."""
    table, reading = brought.tables.get("holdings"), brought.reading
    if table is None:
        return Look()
    columns: Sequence[str] = ()
    try:
        source = reading.open(table)
        columns = _columns(source)
        path = own_mapping(house.home)
        mapping = read_mapping(path) if path else ImportMapping()
        statement = read_statement(source, reading.form, reading.columns, mapping.columns)
        statement = _without(statement, brought.exclude)
        accounts = accounts_of(statement)
        judged = preview(statement, reading.account, mapping.alias)
    except SteelyardError as error:
        return Look(columns=columns, faults=error.faults)
    rejected = judged.statement.rejected
    return Look(
        seen=judged,
        accounts=accounts,
        columns=columns,
        rows=_as_written(judged),
        cash=[(row.currency, row.amount) for row in judged.statement.balances],
        faults=[row.fault for row in rejected],
        readings=[row for row in rejected if row.code == TWO_READINGS],
        signs=[row for row in rejected if row.code == WHICH_CURRENCY],
        nameless=list({name_of(row): row for row in rejected if name_of(row)}.values()),
    )


def _without(statement: Statement, exclude: Sequence[str]) -> Statement:
    """A statement without the lines of no symbol that are left out."""
    names = {normal(text.strip()) for text in exclude}
    rows = statement.rejected
    return replace(
        statement,
        rejected=tuple(row for row in rows if normal(name_of(row)) not in names),
    )


def _columns(source: Source) -> Sequence[str]:
    """The names of its header, each once; none where it is no table."""
    if not source.text or source.text.lstrip().startswith(("<", "{", "OFXHEADER")):
        return ()
    _, cells = generic.header(source)
    return list(dict.fromkeys(cell.strip() for cell in cells if cell.strip()))


def _as_written(seen: Preview) -> list[Row]:
    rows = seen.statement.positions
    return [
        Row(row.symbol, row.name, row.quantity, row.price, row.currency, value_of(row))
        for row in rows[:MOST_ROWS]
    ]


def _valued(seen: Look, owned: Inputs, said: Sequence[str]) -> Look:
    """What a plan counts of it: prices, values in base currency, weights."""
    valuation = valued(owned)
    whole = valuation.value
    traded = [entry for entry in valuation.priced.values() if entry.quantity]
    entries: list[Row] = [
        Row(
            entry.security.symbol,
            entry.security.name,
            entry.quantity,
            entry.price,
            entry.security.currency,
            entry.value,
            float(entry.value / whole) if whole else None,
        )
        for entry in traded
    ]
    entries += [
        Row(
            entry.security.symbol,
            entry.security.name,
            entry.holding.quantity,
            entry.quote.price if entry.quote else None,
            entry.security.currency,
            entry.value,
            float(entry.value / whole) if whole else None,
        )
        for entry in valuation.kept_out
    ]
    entries.sort(key=lambda row: (-(row.value or 0), row.symbol))
    return replace(
        seen,
        owned=owned,
        rows=entries[:MOST_ROWS],
        cash=sorted(owned.snapshot.cash.items()),
        value=whole,
        notes=[*said, *(notice.message for notice in owned.warnings if notice.head)],
    )


def _again(
    request: Request,
    house: House,
    form: Form,
    draft_id: str,
    error: SteelyardError,
    loaded: Sequence[str] = (),
    looks: Sequence[tuple[Draft, Look]] = (),
) -> Response:
    """The page with what was typed, and what is wrong with it; looks: what was read just now."""
    try:
        draft, seen = looks[-1] if looks else _opened(house, form, draft_id)
    except SteelyardError:  # it was not kept: what was typed is shown all the same
        draft, seen = Draft("", "", dict(form.fields), {}), Look()
    if error.faults[0].code not in {fault.code for fault in seen.faults}:
        seen = replace(seen, faults=error.faults)
    return _page(request, house, draft, seen, status_of(error), loaded)


def _opened(house: House, form: Form, draft_id: str) -> tuple[Draft, Look]:
    draft = drafts.open_draft(house, form.by, draft_id)
    return draft, look(house, draft)


def _readers(request: Request) -> CapacityLimiter:
    """Files are read by so many at once: a large one takes seconds, and other pages go on."""
    state = request.app.state
    if not hasattr(state, "readers"):
        state.readers = CapacityLimiter(MOST_READ)
    readers: CapacityLimiter = state.readers
    return readers


def _page(
    request: Request,
    house: House,
    draft: Draft,
    seen: Look,
    status: int = 200,
    loaded: Sequence[str] = (),
) -> Response:
    rows = buckets(house.store())
    held = next((row for row in rows if row.name == (draft.text("bucket") or CORE)), None)
    return page(
        request,
        "imports.html",
        at="import",
        status=status,
        draft=draft,
        look=seen,
        loaded=loaded,
        heading=_heading(draft, seen, loaded),
        summary=summary(seen.seen) if seen.seen else "",
        remarks=_remarks(seen),
        answers=seen.answers,
        forms=_forms(),
        fields=generic.FIELDS,
        named_buckets=_named_buckets(rows),
        replaces=_replaces(house, held),
        named_accounts=[("", "all of it"), *((name, name) for name in seen.accounts if name)],
        named_columns=[("", "as it is called"), *((name, name) for name in seen.columns)],
        held=held,
        satellites=any(row.kind != CORE for row in rows),
        aims=aims_of(draft, held),
        most=MOST_ROWS,
    )


def _named_buckets(rows: Sequence[Held]) -> list[tuple[str, str]]:
    """The core first; each says that it has something already."""
    names = {CORE: f"{CORE} (empty)"}
    for row in rows:
        worth = "empty" if row.value is None else f"now {row.base_currency} {row.value:,.0f}"
        names[row.name] = f"{row.name} ({worth})"
    return list(names.items())


def _replaces(house: House, held: Held | None) -> str:
    """What a bucket has that a load replaces; "" = nothing."""
    if held is None or held.portfolio is None:
        return ""
    count = len(portfolio_of(house.store(), held.portfolio).snapshot.holdings)
    holdings = f"{count} holding{'' if count == 1 else 's'}"
    worth = f", worth {held.base_currency} {held.value:,.0f}" if held.value is not None else ""
    return f"{held.name} has {holdings} now{worth}. Loading replaces them by what was read here."


def _heading(draft: Draft, seen: Look, loaded: Sequence[str]) -> str:
    """What was found."""
    if loaded:
        return f"The bucket {loaded[0]} is loaded, and not planned"
    file = draft.files.get("holdings")
    if file is None:
        return "Bring your holdings"
    count = len(seen.rows)
    read = f"{count} holding{'' if count == 1 else 's'} read"
    if seen.seen is None:
        return f"{file.name} {CANNOT_BE_READ}"
    if not seen.faults:
        return f"{read} from {file.name}"
    asks = len(seen.faults)
    return f"{read}, {asks} question{'' if asks == 1 else 's'} to answer"


def _remarks(seen: Look) -> list[tuple[str, Sequence[str]]]:
    """What is to be said of the file; what is rejected stands among the faults."""
    if seen.seen is None:
        return []
    told = [(head, texts) for head, texts in remarks(seen.seen.statement) if head != "Rejected"]
    before = {text for _, texts in told for text in texts}
    notes = [text for text in seen.notes if text not in before]
    return [(head, list(texts)) for head, texts in [*told, ("For this load", notes)] if texts]


@cache
def _forms() -> list[tuple[str, str]]:
    named = [(name, form.importer.title) for name, form in forms().by_name.items()]
    return [("", "what is in the file says it"), *WITHOUT_IMPORTER.items(), *named]


def _decimal(text: str) -> Literal[".", ",", ""]:
    signs: Mapping[str, Literal[".", ","]] = {"point": ".", "comma": ","}
    return signs.get(text, "")


def _listed(text: str) -> list[str]:
    return [part for part in re.split(r"[,;\s]+", text) if part]


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return day(text, "as-of date")
    except BadCell as error:
        raise InputError(
            f"The {error}. Nothing was loaded.",
            code=error.code,
            place="--as-of",
            value=text,
            hint=error.hint,
        ) from error


def _moved(draft: Draft, base: str | None) -> str | None:
    """Money brought since the last load, in base currency where none is named."""
    text = draft.text("moved").replace("\u2212", "-").replace(" ", "")
    return f"{base or 'USD'}={text}" if text and "=" not in text else text or None


def _today(house: House) -> date:
    return house.utc().astimezone().date()
