"""`/buckets`: core and satellites; what each owns against its targets, and what its owner sets."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Request, Response

from steelyard.buckets import PRESETS, SLIDERS, TOGGLES, Budgets, SatelliteSettings
from steelyard.errors import ChangedMeanwhile, Fault, InputError, SteelyardError, StoreError
from steelyard.importers import amount_of
from steelyard.money import ZERO
from steelyard.portfolio import Snapshot
from steelyard.report.exhibits.following import broken_words
from steelyard.runs.last_runs import last_runs
from steelyard.runs.settings import CONFIG, New, configure, create, resting, shown, tried
from steelyard.runs.stored import transfer
from steelyard.runs.wash_windows import windows
from steelyard.services.api.fields import BucketInPath, Here, changing
from steelyard.services.house import House
from steelyard.services.problems import status_of
from steelyard.services.security.roles import needs
from steelyard.store import assignments, plans, strategies
from steelyard.store import inputs as kept_inputs
from steelyard.store.buckets import STATUSES, Held, bucket_of, buckets, worths
from steelyard.store.exchange import still_whole
from steelyard.store.plans import PlanRow
from steelyard.store.store import Store
from steelyard.store.strategies import Version
from steelyard.web.forms import Form, Posted
from steelyard.web.plans import drawn_plan
from steelyard.web.route import Page
from steelyard.web.shell import page
from steelyard.web.sliders import Slider, moves_of, sliders_of

router = APIRouter(route_class=Page, include_in_schema=False)

DIVIDENDS = (
    ("", "as the preset has it, else to the core"),
    ("reinvest_same", "into the same security"),
    ("send_to_core", "to the core"),
    ("accumulate_cash", "kept as its cash"),
)
PLACES = {"B": "name", "--set": "universe"}
"""Place of a fault -> field, where they are called otherwise."""
BUDGET = "target_weight"
FIELDS = frozenset({"name", BUDGET, "universe"})
"""Fields under which their own fault is shown."""


@dataclass(frozen=True, slots=True)
class Line:
    """A bucket in the list.

    worth   what it is worth, money that was moved to it too, base currency; None = nothing is there
    used    its part of all that the buckets are worth, 0..1
    """

    held: Held
    version: strategies.Version | None
    plan: PlanRow | None
    worth: Decimal | None
    used: float | None


@router.get("/buckets", dependencies=[needs("viewer")])
def list_(request: Request, here: Here) -> Response:
    """Which buckets are there, and what has each of its budget?"""
    return _list(request, here, {}, ())


@router.post("/buckets", dependencies=[needs("planner")])
async def make(request: Request, here: Here, form: Posted) -> Response:
    """Make a satellite."""

    def work() -> str:
        weight = _budget(form.text("budget"))
        universe = form.text("universe").replace(";", ",").split(",")
        new = New(
            form.text("name"),
            "satellite",
            form.text("status") or None,
            weight,
            [symbol for symbol in universe if symbol.strip()],
        )
        return f"/buckets/{create(changing(here), new, preset=form.text('preset') or None).name}"

    try:
        return await form.once(work)
    except SteelyardError as error:
        again = partial(_list, request, here, dict(form.fields), error.faults, status_of(error))
        return await to_thread.run_sync(again)


@router.get("/buckets/{bucket}", dependencies=[needs("viewer")])
def show(request: Request, here: Here, bucket: BucketInPath) -> Response:
    """What has this bucket, against what it should have?"""
    return _show(request, here, bucket)


@router.post("/buckets/{bucket}/settings", dependencies=[needs("planner")])
async def save(request: Request, here: Here, bucket: BucketInPath, form: Posted) -> Response:
    """Keep another version of the settings; or show what they would move, and keep nothing."""

    def work() -> str:
        store = changing(here)
        held = bucket_of(store, bucket)
        if form.text("seen") != seen_of(held):
            raise _changed(held)
        changes = assignments_of(form, held)
        if changes:
            configure(store, bucket, changes)
        return f"/buckets/{bucket}#h-settings"

    if form.text("do") == "preview":
        return await to_thread.run_sync(_show, request, here, bucket, form)
    return await _done(request, here, bucket, form, work)


@router.post("/buckets/{bucket}/strategy", dependencies=[needs("operator")])
async def assign(request: Request, here: Here, bucket: BucketInPath, form: Posted) -> Response:
    """Let the bucket plan by another strategy."""

    def work() -> str:
        store = changing(here)
        if form.text("seen") != _planned_by(store, bucket):
            raise _changed(bucket_of(store, bucket))
        if not form.text("name") and assignments.planned_by(store, bucket) is None:
            return f"/buckets/{bucket}#h-strategy"  # it goes on as it is
        version = strategies.version(store, form.text("name"))
        still_whole(version)
        number = version.version if form.text("stay") else None
        assignments.assign(store, bucket, version.name, number)
        return f"/buckets/{bucket}#h-strategy"

    return await _done(request, here, bucket, form, work)


@router.post("/buckets/{bucket}/transfer", dependencies=[needs("operator")])
async def move(request: Request, here: Here, bucket: BucketInPath, form: Posted) -> Response:
    """Move money to another bucket; the account has as much as before."""

    def work() -> str:
        text = form.text("amount").replace(" ", "")
        named = text if "=" in text else f"{form.text('currency')}={text}"
        currency, amount = amount_of(named, "amount", "USD=1200")
        transfer(changing(here), bucket, form.text("to"), currency, amount)
        return f"/buckets/{bucket}#h-cash"

    return await _done(request, here, bucket, form, work, single=True)


async def _done(
    request: Request,
    here: House,
    bucket: str,
    form: Form,
    work: Callable[[], str],
    *,
    single: bool = False,
) -> Response:
    """Do it once; where that fails the page is shown with what was typed."""
    try:
        return await form.once(work, single=single)
    except SteelyardError as error:
        return await to_thread.run_sync(_show, request, here, bucket, form, error)


def _list(
    request: Request,
    house: House,
    typed: Mapping[str, str],
    faults: Sequence[Fault],
    status: int = 200,
) -> Response:
    store = house.store()
    rows = buckets(store)
    worth = worths(rows)
    account = sum(worth.values(), ZERO)
    lines = [
        Line(
            row,
            assignments.planned_by(store, row.name),
            plans.newest_of(store, row.name),
            worth.get(row.name),
            _of(worth.get(row.name), account),
        )
        for row in rows
    ]
    return page(
        request,
        "buckets.html",
        at="buckets",
        status=status,
        lines=lines,
        account=account,
        base=next((row.base_currency for row in rows if row.base_currency), ""),
        typed=typed,
        faults=_above(faults),
        wrong=_by_field(faults),
        presets=[("", "none: the default strategy"), *((name, name) for name in PRESETS)],
        statuses=[(name, name) for name in STATUSES],
        open=bool(typed),
        refused=bool(faults),
    )


def _choices(
    store: Store, held: Held, rows: Sequence[Held], version: Version | None
) -> list[tuple[str, str]]:
    """Strategies that the bucket may plan by; what the sliders of another made is not offered."""
    others = {CONFIG.format(row.name) for row in rows if row.name != held.name}
    if version is None:
        default = "the default strategy" if held.kind == "core" else "its settings"
        first = [("", f"{default}, as now")]
    else:
        first, others = [], others - {version.name}
    own = [row for row in strategies.active(store) if row.name not in others]
    return first + [(row.name, f"{row.title} (v{row.version})") for row in own] if own else []


def _show(
    request: Request,
    house: House,
    bucket: str,
    form: Form | None = None,
    error: SteelyardError | None = None,
) -> Response:
    """A bucket's page; form: what was typed and is not kept."""
    store = house.store()
    held = bucket_of(store, bucket)
    rows = buckets(store)
    worth = worths(rows)
    account = sum(worth.values(), ZERO)
    version = assignments.planned_by(store, bucket)
    plan = plans.newest_of(store, bucket)
    snapshot = (
        None if held.portfolio is None else kept_inputs.portfolio_of(store, held.portfolio).snapshot
    )
    faults, sliders = _tried(held, form)
    every = [*(error.faults if error is not None else ()), *faults]
    strategy = house.planners().strategy(bucket)
    return page(
        request,
        "bucket.html",
        at="buckets",
        part="moves" if form is not None and form.text("do") == "preview" else "",
        status=status_of(error) if error is not None else 422 if faults else 200,
        held=held,
        used=_of(worth.get(bucket), account),
        worth=worth.get(bucket),
        base=next((row.base_currency for row in rows if row.base_currency), ""),
        **_last_run(house, bucket),
        broken_words=broken_words,
        version=version,
        follows=held.assignment,
        resting=resting(held, version),
        plan=plan,
        snapshot=snapshot,
        exhibits=_exhibits(request, house, held, plan),
        windows=[] if snapshot is None else windows(snapshot, strategy.lots.wash_sale_days),
        lots=_lots(snapshot),
        sliders=sliders,
        toggles=_toggles(held, form),
        by_hand={name: _set_by_hand(held, name) for name in ("preset", "dividend_handling")},
        settings={row.name: row for row in shown(held, version)},
        seen=seen_of(held) if form is None else form.text("seen") or seen_of(held),
        planned_by=_planned_by(store, bucket),
        typed={} if form is None else form.fields,
        faults=_above(every),
        wrong=_by_field(every),
        refused=bool(every),
        presets=[("", "none"), *((name, name) for name in PRESETS)],
        statuses=[(name, name) for name in STATUSES],
        dividends=DIVIDENDS,
        active=_choices(store, held, rows, version),
        others=[(row.name, row.name) for row in rows if row.name != bucket],
        preview=form is not None and form.text("do") == "preview",
    )


def _last_run(house: House, bucket: str) -> Mapping[str, Any]:
    """The newest run of a bucket, or why none can be told."""
    try:
        return {"last": last_runs(house.home).get(bucket), "untold": ""}
    except StoreError as error:
        return {"last": None, "untold": str(error)}


def assignments_of(form: Form, held: Held) -> list[str]:
    """`NAME=VALUE` of every setting that the form has otherwise than it was shown."""
    now = {
        "target_weight": f"{held.target_weight:g}",
        "status": held.status,
        "universe": ", ".join(held.universe),
        **{name: _set_by_hand(held, name) for name in ("preset", "dividend_handling", *TOGGLES)},
    }
    texts = []
    for name, before in now.items():
        if name not in form.fields or (held.kind == "core" and name != "universe"):
            continue
        value = form.text(name)
        if name == "target_weight":
            value = f"{_budget(value):g}"
        if value.replace(" ", "") != before.replace(" ", ""):
            texts.append(f"{name}={value}")
    for name in SLIDERS:
        was, value = form.text(f"was.{name}"), form.text(name)
        if form.text("unset") == name or form.text(f"unset.{name}"):
            texts.append(f"{name}=unset")
        elif value and value != was:
            texts.append(f"{name}={value}")
    return texts


def seen_of(held: Held) -> str:
    """Tells whether the settings are still those that a page showed."""
    content = json.dumps(
        [held.target_weight, held.status, held.universe, held.settings], sort_keys=True
    )
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _set_by_hand(held: Held, name: str) -> str:
    """The text of a setting that somebody set; "" = nobody did."""
    value = held.settings.get(name)
    return "" if value is None else str(value).lower()


def _planned_by(store: Store, bucket: str) -> str:
    version = assignments.planned_by(store, bucket)
    return "" if version is None else str(version.id)


def _changed(held: Held) -> ChangedMeanwhile:
    settings = ", ".join(f"{row.name} {row.text}" for row in shown(held, None) if row.value)
    return ChangedMeanwhile(
        f"{held.name} was changed by somebody else since this page was shown. Nothing was changed. "
        f"It has now: {settings}. Look at it, and save again.",
        code="bucket_changed_meanwhile",
        place=held.name,
        hint="look at it, and save again",
    )


def _tried(held: Held, form: Form | None) -> tuple[Sequence[Fault], list[Slider]]:
    """The sliders as they are, or as a form has them, with what they move; and what is wrong."""
    if held.kind == "core":
        return (), []
    before = SatelliteSettings(satellite_id=held.name, **held.settings)
    earlier = moves_of(before)
    if form is None or "was.risk_appetite" not in form.fields:
        return (), sliders_of(before, earlier, earlier)
    try:
        now = tried(held, assignments_of(form, held))
    except SteelyardError as error:
        return error.faults, sliders_of(before, earlier, earlier)
    later = moves_of(now)
    return (), sliders_of(now, earlier, later)


def _toggles(held: Held, form: Form | None) -> list[tuple[str, str, str]]:
    """Name, what it does, and `true`, `false` or "" for not set."""
    if held.kind == "core":
        return []
    rows = []
    for name in TOGGLES:
        text = _set_by_hand(held, name)
        text = form.fields.get(name, text) if form is not None else text
        rows.append((name, str(SatelliteSettings.model_fields[name].description), text))
    return rows


def _exhibits(
    request: Request, house: House, held: Held, plan: PlanRow | None
) -> Mapping[str, Any] | None:
    """The exhibits of the newest plan, where it is of what the bucket owns now."""
    if plan is None or plan.portfolio != held.portfolio:
        return None
    return drawn_plan(request, house, plan.plan_id).exhibits


def _lots(snapshot: Snapshot | None) -> list[tuple[Any, Any, Any]]:
    """Holding, security and lot, of every lot."""
    if snapshot is None:
        return []
    return [
        (holding, snapshot.security(holding.symbol), lot)
        for holding in snapshot.holdings
        for lot in holding.lots
        if holding.quantity
    ]


def _of(worth: Decimal | None, account: Decimal) -> float | None:
    return None if worth is None or not account else float(worth / account)


def _budget(text: str) -> float:
    """A budget as it is typed, in percent, as a part of 1; raises InputError in percent too."""
    most = Budgets().most_weight
    try:
        weight = Decimal(text.rstrip("% ").replace(",", ".") or "0") / 100
    except ArithmeticError:
        weight = Decimal("NaN")
    if not weight.is_finite() or not 0 <= weight <= most:
        allowed = f"0 to {100 * most:g} %"
        raise InputError(
            f"A budget of {text[:20]!r} is not usable: a satellite's is {allowed}. Nothing was "
            "changed.",
            code="bad_budget",
            place=BUDGET,
            value=text[:20],
            limit=allowed,
            hint=f"give {allowed}",
        )
    return float(weight)


def _by_field(faults: Sequence[Fault]) -> dict[str, str]:
    """Field -> what is wrong with it; what is of no field stands above the form."""
    places = ((PLACES.get(fault.place, fault.place), fault.message) for fault in faults)
    return {place: message for place, message in places if place in FIELDS}


def _above(faults: Sequence[Fault]) -> list[Fault]:
    return [fault for fault in faults if PLACES.get(fault.place, fault.place) not in FIELDS]
