"""`/strategies/N/edit`: what would another setting do? A draft, by fields or as TOML.

A draft lives in the form alone: its text, the version that it was made from, what was typed. To
look at it plans the bucket under both and keeps nothing; to save it appends a version.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from anyio import to_thread
from fastapi import APIRouter, Request, Response

from steelyard.buckets.written import TABLE
from steelyard.errors import ChangedMeanwhile, Fault, InputError, SettingsError, SteelyardError
from steelyard.runs.edited import Edited, save_edited
from steelyard.runs.listed_strategies import users
from steelyard.runs.planners import strategy_of_version
from steelyard.runs.previewed import Previewed, consequence, in_words, summary
from steelyard.runs.setting_changes import Changes, changes
from steelyard.services.api.fields import MOST_TEXT, Here, NameInPath, changing
from steelyard.services.api.received import strategy_from
from steelyard.services.house import House
from steelyard.services.problems import status_of
from steelyard.services.security.roles import needs
from steelyard.store import buckets, strategies
from steelyard.store.buckets import Held
from steelyard.store.strategies import Version
from steelyard.strategies import Strategy
from steelyard.strategies.diff import unified
from steelyard.strategies.fields import LABELS, Field, count, groups, read, with_unit
from steelyard.strategies.rewriting import with_value
from steelyard.web.forms import Form, Posted
from steelyard.web.route import Page
from steelyard.web.shell import page
from steelyard.web.trying import loaded, tried

router = APIRouter(route_class=Page, include_in_schema=False)

View = Literal["fields", "toml"]
UNUSABLE = 422
NUMBER = re.compile("[1-9][0-9]{0,8}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A text that may become a version.

    before     the version that it was made from
    text       with what was typed, as far as that could be written down
    rules      of the text; None where it is no use
    typed      key of a field -> what was typed
    wrong      key of a field -> what is wrong with that
    faults     what is wrong and of no field
    meanwhile  the version that somebody else saved, where that is so
    """

    before: Version
    old: Strategy
    text: str
    rules: Strategy | None
    view: View = "fields"
    every: bool = False
    bucket: str = ""
    reason: str = ""
    title: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)
    wrong: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    meanwhile: Version | None = None

    @property
    def usable(self) -> bool:
        """May it be planned by, and saved?"""
        return self.rules is not None and not self.wrong and not self.faults


@router.get("/strategies/{name}/edit", dependencies=[needs("planner")])
def edit(
    request: Request, here: Here, name: NameInPath, view: View = "fields", every: bool = False
) -> Response:
    """The active version as a draft."""
    before = strategies.version(here.store(), name)
    draft = _opened(before, view, every, next(iter(_ready(here, name)[1]), ""))
    return _shown(request, here, draft)


@router.post("/strategies/{name}/edit", dependencies=[needs("planner")])
async def change(request: Request, here: Here, form: Posted, name: NameInPath) -> Response:
    """Look at a draft, or save it."""
    draft = await to_thread.run_sync(_drafted, here, name, form)
    act = form.text("do", "preview")
    preview: Previewed | None = None
    failed = UNUSABLE
    if draft.usable and act == "save":
        try:
            return await form.once(lambda: _saved(here, draft, form))
        except ChangedMeanwhile as error:
            theirs = await to_thread.run_sync(_meanwhile, here, draft, error)
            status = status_of(error)
            return await to_thread.run_sync(lambda: _shown(request, here, theirs, status=status))
        except SteelyardError as error:
            draft, failed = replace(draft, faults=error.faults), status_of(error)
    rules = draft.rules
    if draft.usable and act == "preview" and draft.bucket and rules is not None:
        try:
            preview = await tried(request, here, draft.bucket, draft.old, rules)
        except SteelyardError as error:  # the bucket cannot be planned; the draft may still be good
            draft = replace(draft, faults=error.faults)
    status = 200 if draft.usable or act not in {"preview", "save"} else failed
    return await to_thread.run_sync(
        lambda: _shown(request, here, draft, preview, looked=act == "preview", status=status)
    )


def _opened(before: Version, view: View, every: bool, bucket: str) -> Draft:
    """A version as a draft; one that is no use any more is shown as text, with what is wrong."""
    try:
        rules = strategy_of_version(before)
    except SettingsError as error:
        raise InputError(
            f"Version {before.version} of {before.name} can no longer be read: {error} Nothing was "
            "changed. Save a text that can be over it: steelyard strategy save",
            code="version_no_longer_read",
            place=before.name,
            hint="steelyard strategy save",
        ) from error
    return Draft(
        before=before,
        old=rules,
        text=_lines(before.toml),
        rules=rules,
        view="toml" if f"[{TABLE}]" in before.toml else view,
        every=every,
        bucket=bucket,
    )


def _drafted(here: House, name: str, form: Form) -> Draft:
    """What a form makes of the version that it was opened from; blocks."""
    base = form.text("base")
    before = strategies.version(here.store(), name, number_in(base))
    asked = form.text("do") if form.text("do") in {"toml", "fields"} else form.text("view")
    view: View = "toml" if asked == "toml" else "fields"
    draft = _opened(before, view, bool(form.text("every")), "")
    text = _lines(form.fields.get("toml", draft.text))
    draft = replace(
        draft,
        text=text,
        every=draft.every or form.text("do") == "every",
        bucket=form.text("bucket"),
        reason=form.text("reason")[:MOST_TEXT],
        title=form.text("title"),
    )
    draft = _read(draft, name)
    if draft.rules is None or not any(key in form.fields for key in _keys(draft)):
        return draft
    laid = _read(_typed(draft, form), name)
    return replace(laid, view="fields") if laid.wrong else laid


def number_in(text: str) -> int | None:
    """The number of a version; None where none was sent, which means the active one."""
    return int(text) if NUMBER.fullmatch(text) else None


def _keys(draft: Draft) -> dict[str, Field]:
    rules = draft.rules or draft.old
    return {entry.key: entry for _, rows in groups(rules, every=True) for entry in rows}


def _read(draft: Draft, name: str) -> Draft:
    """The draft with its rules, or with what is wrong with its text."""
    try:
        return replace(draft, rules=strategy_from(draft.text, name))
    except SteelyardError as error:
        keys = _keys(draft)
        wrong, faults = dict(draft.wrong), []
        for fault in error.faults:
            key = next((key for key in keys if key in draft.typed and key in fault.message), None)
            if key is None:
                faults.append(fault)
            else:
                wrong[key] = fault.message
        view: View = draft.view if not faults else "toml"
        return replace(draft, rules=None, wrong=wrong, faults=tuple(faults), view=view)


def _typed(draft: Draft, form: Form) -> Draft:
    """The draft with what was typed into fields written into its text, line by line."""
    typed, wrong, text = {}, {}, draft.text
    for key, entry in _keys(draft).items():
        entered = form.fields.get(key)
        if entered is None or entered.strip() == entry.text:
            continue
        typed[key] = entered
        try:
            value = read(entry, entered)
            text = text if value == entry.value else with_value(text, key, value)
        except InputError as error:
            wrong[key] = str(error)
    return replace(draft, text=text, typed=typed, wrong=wrong)


def _meanwhile(here: House, draft: Draft, error: ChangedMeanwhile) -> Draft:
    """The draft beside what somebody else saved: saved once more it is made from that."""
    newest = strategies.version(here.store(), draft.before.name)
    return replace(draft, faults=error.faults, meanwhile=newest)


def _saved(here: House, draft: Draft, form: Form) -> str:
    """Where the new version is shown; raises ChangedMeanwhile, InputError."""
    if draft.rules is None:  # only usable drafts are saved
        raise InputError("Nothing was saved.", code="draft_unusable", place="toml")
    edited = Edited(
        name=draft.before.name,
        text=draft.text,
        strategy=draft.rules,
        base=draft.before.version,
        title=draft.title,
        reason=draft.reason,
    )
    version = save_edited(changing(here), edited, f"{form.by.role}, browser")
    return f"/strategies/{version.name}/history?saved={version.version}"


def _shown(
    request: Request,
    here: House,
    draft: Draft,
    preview: Previewed | None = None,
    *,
    looked: bool = False,
    status: int = 200,
) -> Response:
    before, rules = draft.before, draft.rules
    holders, ready = _ready(here, before.name)
    currency = next((row.base_currency or "" for row in holders if row.name == draft.bucket), "")
    changed = Changes((), ()) if rules is None else changes(draft.old, rules, currency)
    theirs = None
    if draft.meanwhile is not None:
        theirs = changes(draft.old, strategy_of_version(draft.meanwhile))
    rows = [] if draft.view == "toml" else _rows(draft, currency)
    return page(
        request,
        "editor.html",
        at="strategies",
        status=status,
        draft=draft,
        is_changed=draft.text != _lines(before.toml) or bool(draft.wrong),
        text=draft.text,
        heading=_heading(draft, preview, changed, looked=looked),
        lead=_lead(draft, preview, currency),
        changed=changed,
        consequences=_consequences(changed, preview),
        preview=preview,
        looked=looked,
        text_diff=unified(
            _lines(before.toml), draft.text, f"{before.name} v{before.version}", "draft"
        ),
        currency=currency,
        proof=_proof(preview),
        groups=rows,
        others=count(draft.old),
        shown_count=sum(len(group) for _, group in rows),
        buckets=ready,
        theirs=theirs,
        users=users(holders, before.name),
        base=before.version if draft.meanwhile is None else draft.meanwhile.version,
        by_sliders=f"[{TABLE}]" in draft.text,
    )


def _heading(draft: Draft, preview: Previewed | None, changed: Changes, *, looked: bool) -> str:
    name = draft.before.title
    if draft.meanwhile is not None:
        return f"{name} was changed meanwhile: nothing of yours is saved yet"
    wrong = len(draft.wrong) + len(draft.faults)
    if wrong:
        thing = "setting" if draft.wrong else "thing"
        many = "" if wrong == 1 else "s"
        return f"{in_words(wrong)} {thing}{many} cannot be used: nothing was saved"
    if not changed.rows:
        same = draft.text == _lines(draft.before.toml)
        return "Nothing is changed yet" if same else "Only the text differs: it plans the same"
    return summary(preview if looked else None, len(changed.rows))


def _lead(draft: Draft, preview: Previewed | None, currency: str) -> str:
    before = draft.before
    if draft.meanwhile is not None:
        return "What you typed is kept in this page. Look at what the other one changed first."
    state = f"Draft of version {before.version + 1} of {before.name}"
    if not draft.usable:
        return f"{state}, not usable as it is."
    if preview is None or not preview.figures:
        return f"{state}, valid. It is used nowhere until you save it."
    score, _, cost, *_ = preview.figures
    parts = []
    if score.new is not None and score.old is not None:
        points = round(100 * (float(score.new) - float(score.old)), 2)
        if points:
            verb = "Lowers" if points < 0 else "Raises"
            parts.append(f"{verb} today\u2019s score by {abs(points):.2f} under the old rules")
    if cost.new is not None and cost.old is not None and cost.new != cost.old:
        verb = "saves" if cost.new < cost.old else "costs"
        more = "" if cost.new < cost.old else " more"
        amount = abs(float(cost.new) - float(cost.old))
        parts.append(f"{verb} {currency} {amount:,.2f}{more}")
    text = "; ".join(parts)
    return f"{state}, valid. {text[:1].upper() + text[1:]}." if text else f"{state}, valid."


def _proof(preview: Previewed | None) -> str:
    """How far both plans are from the best of their own rules; "" where one is not there."""
    if preview is None or preview.old.plan is None or preview.new.plan is None:
        return ""
    proven = [side.certificate.status == "proven" for side in (preview.old.plan, preview.new.plan)]
    if all(proven):
        return "Both proven best under their own rules."
    if any(proven):
        return f"Only {'the plan before' if proven[0] else 'the draft'} is proven best."
    return "Neither is proven best under its own rules."


def _consequences(changed: Changes, preview: Previewed | None) -> dict[str, str]:
    if preview is None:
        return {}
    return {row.key: consequence(row, preview) for row in changed.rows}


def _rows(draft: Draft, currency: str) -> list[tuple[str, list[dict[str, Any]]]]:
    """Groups of fields as they are drawn: with what was typed, what was before, what is wrong."""
    old = {entry.key: entry for _, rows in groups(draft.old, every=True) for entry in rows}
    rules = draft.rules or draft.old
    every = draft.every or any(key not in LABELS for key in (*draft.wrong, *draft.typed))
    return [
        (title, [_row(draft, entry, old.get(entry.key), currency) for entry in rows])
        for title, rows in groups(rules, every=every)
    ]


def _row(draft: Draft, entry: Field, before: Field | None, currency: str) -> dict[str, Any]:
    text = draft.typed.get(entry.key, entry.text)
    was = entry if before is None else before
    is_changed = text.strip() != was.text
    notes = []
    if is_changed:
        notes.append(f"Was {with_unit(was, was.value, currency)}.")
    if entry.range:
        notes.append(entry.range)
    if entry.usual not in {entry.value, was.value if is_changed else entry.value}:
        notes.append(f"Default {with_unit(entry, entry.usual, currency)}.")
    return {
        "field": entry,
        "text": text,
        "changed": is_changed,
        "error": draft.wrong.get(entry.key, ""),
        "note": " ".join(notes),
    }


def _ready(here: House, name: str) -> tuple[list[Held], list[str]]:
    """All buckets, and those that can be planned: those that plan by the name first."""
    holders = buckets.buckets(here.store())
    own = users(holders, name)
    first = {*own.following, *(bucket for bucket, _ in own.pinned)}
    return holders, sorted(loaded(holders), key=lambda bucket: bucket not in first)


def _lines(text: str) -> str:
    """A text as a browser gives it back, with line feeds alone."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
