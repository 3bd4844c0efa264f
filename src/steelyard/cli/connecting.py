"""Brokers and rooms of commands that trade: a plan's broker connected, a run's found again.

The paper broker's accounts begin with the plan that is executed first in them, and live at the day
of its prices.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from steelyard.cli.trading import NOTHING_SENT, Wish, account_of, folder

if TYPE_CHECKING:
    from steelyard.brokers.broker import Broker, Mode
    from steelyard.brokers.by_file import FileBroker
    from steelyard.execution.approved import Approved
    from steelyard.execution.desk import Desk
    from steelyard.execution.journal.journal import Journal
    from steelyard.execution.journal.rows import RunRow
    from steelyard.execution.room import Room

PAPER_PACE = 0.02
"""Seconds that pass for each simulated one, so that a run can be watched, and interrupted."""
MOST_PACE = 10.0
FILE_FILE = "orders.db"
PACE = "STEELYARD_PAPER_PACE"
OWN_ACCOUNTS = frozenset({"paper", "file"})
"""Brokers whose accounts are named here."""
BROKERS = ("paper", "alpaca", "file")


def _of_the_keys(broker: Broker, chosen: str | None) -> tuple[str, Broker]:
    """The broker's own account, which is the chosen one; raises InputError for another."""
    from steelyard.errors import InputError

    account = broker.account().account_id
    if chosen in {None, account}:
        return account, broker
    raise InputError(
        f"The broker's account is {account}, and --account says {chosen}. {NOTHING_SENT}",
        code="account_not_chosen",
        place="--account",
        value=chosen,
        limit=account,
        hint="leave --account out, or use the keys of that account",
    )


def connected(entry: Journal, wish: Wish, plan: Approved) -> tuple[str, Broker]:
    """(account, broker) of a plan's run: an account at a real broker has the broker's own name."""
    if wish.day.replay is not None:
        return _of_the_keys(_replayed(wish.day.replay), wish.account)
    account, broker = _connected(entry, wish, plan)
    return account, broker if wish.day.record is None else _recorded(broker, wish.day.record)


def _replayed(path: Path) -> Broker:
    from steelyard.brokers.replay import open_replay
    from steelyard.errors import InputError

    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise InputError(
            f"The recording {path} cannot be read: {error}. {NOTHING_SENT}",
            code="recording_unreadable",
            place="--replay",
            value=path,
        ) from error
    return open_replay(lines, str(path))


def _recorded(broker: Broker, path: Path) -> Broker:
    """The broker, whose answers go to a file as they come."""
    from steelyard.brokers.recording import Recorder
    from steelyard.errors import InputError

    def keep(line: str) -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")

    try:
        path.open("x", encoding="utf-8").close()
    except OSError as error:
        raise InputError(
            f"The recording {path} cannot be begun: {error.strerror}. {NOTHING_SENT} Name a file "
            "that is not there.",
            code="recording_not_begun",
            place="--record",
            value=path,
            hint="name a file that is not there",
        ) from error
    return Recorder(broker, keep)


def _connected(entry: Journal, wish: Wish, plan: Approved) -> tuple[str, Broker]:
    if wish.broker in OWN_ACCOUNTS:
        account = account_of(entry, plan, wish.account)
        return account, broker_for(wish, plan, account)
    return _of_the_keys(broker_for(wish, plan, ""), wish.account)


def broker_for(wish: Wish, plan: Approved, account: str) -> Broker:
    """The broker of a plan's run, connected to the account; raises BrokerError, SettingsError."""
    if wish.broker == "paper":
        return paper(account, plan)
    if wish.broker == "alpaca":
        return alpaca("live" if wish.live else "paper", wish.environment)
    if wish.broker == "file":
        return by_hand(account, plan.as_of, plan)
    raise _no_broker(wish.broker)


def broker_of(entry: Journal, run: RunRow, environment: Mapping[str, str] = os.environ) -> Broker:
    """The broker of a run that is there already."""
    if run.broker == "paper":
        return paper(run.account, None)
    if run.broker == "alpaca":
        return alpaca("live" if run.mode == "live" else "paper", environment)
    if run.broker == "file":
        return by_hand(run.account, day_of(entry, run))
    raise _no_broker(run.broker)


def paper(account: str, plan: Approved | None) -> Broker:
    """The paper broker's account: of a plan, opened by it or moved on to its day; else as it is."""
    from steelyard.brokers.paper import open_paper
    from steelyard.execution.paper import FILE as PAPER_FILE
    from steelyard.execution.paper import opening_of, prices_of

    pace = pace_of(os.environ)
    if plan is None:
        return open_paper(_place(PAPER_FILE), account, pace=pace)
    broker = open_paper(_place(PAPER_FILE), account, opening_of(plan), pace=pace)
    broker.reprice(plan.as_of, prices_of(plan), plan.foreign_rates)
    return broker


def alpaca(mode: Mode, environment: Mapping[str, str]) -> Broker:
    """Alpaca's account, by the keys of an environment; raises SettingsError without the extra."""
    from steelyard.errors import SettingsError

    try:
        from steelyard.brokers.alpaca import open_alpaca
    except ModuleNotFoundError as error:
        mend = 'Install it: pip install "steelyard[execute]"'
        raise SettingsError(
            f"Alpaca needs {error.name}, which is not installed. {NOTHING_SENT} {mend}",
            code="no_execute_extra",
            place="--broker alpaca",
            hint=mend,
        ) from error
    return open_alpaca(environment, mode)


def day_of(entry: Journal, run: RunRow) -> date:
    """The broker's day on which a run began."""
    from steelyard.execution.room import request_in

    return request_in(entry, run.run_id).began_at.date()


def by_hand(account: str, day: date, plan: Approved | None = None) -> FileBroker:
    """The orders of an account that a person places, on a day."""
    from steelyard.brokers.by_file import open_file
    from steelyard.execution.paper import morning, opening_of, with_deposits

    if plan is None:
        return open_file(_place(FILE_FILE), account, None, morning(day))
    opening = with_deposits(opening_of(plan), plan)
    return open_file(_place(FILE_FILE), account, opening, morning(day), plan.deposits)


def pace_of(environment: Mapping[str, str]) -> float:
    """Real seconds for each of the paper broker's; raises SettingsError for what is no such."""
    from steelyard.errors import SettingsError

    text = environment.get(PACE)
    try:
        pace = float(text) if text else PAPER_PACE
    except ValueError:
        pace = -1.0
    if not 0 <= pace <= MOST_PACE:
        raise SettingsError(
            f"{PACE} is {text!r}, no number of seconds from 0 to {MOST_PACE:g}. {NOTHING_SENT}",
            code="bad_pace",
            place=PACE,
            value=text,
            limit=f"0 to {MOST_PACE:g}",
        )
    return pace


def _place(name: str) -> Path:
    place = folder()
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    return place / name


def room_for(
    entry: Journal,
    broker: Broker,
    account: str,
    show: Callable[[Desk], None] = lambda _: None,
    environment: Mapping[str, str] = os.environ,
    mode: Mode = "paper",
) -> Room:
    """What a run in an account has at hand, by the settings of this machine.

    Raises SettingsError where the run is to be live and the settings are not.
    """
    from steelyard.execution.configuration import load
    from steelyard.execution.room import Room

    settings = load(folder(), os.environ)
    if mode == "live" and settings.account.mode != "live":
        raise _not_live()
    host, key = _identity(broker, environment)
    return Room(
        home=folder(),
        journal=entry,
        broker=broker,
        account=account,
        mode=mode,
        limits=settings.limits_of(mode),
        working=settings.working,
        needs=settings.paper_history,
        pinned_account=settings.account.pinned,
        engine=settings.engine.model_dump(),
        host=host,
        key=key,
        show=show,
    )


def _identity(broker: Broker, environment: Mapping[str, str]) -> tuple[Mode | None, Mode | None]:
    """What address and key say of a broker that has them: keys of paper accounts begin with PK."""
    if broker.name != "alpaca":
        return None, None
    kinds: dict[str, Mode] = {"PK": "paper", "AK": "live"}
    return broker.account().mode, kinds.get(environment.get("APCA_API_KEY_ID", "")[:2])


def _not_live() -> Exception:
    from steelyard.errors import SettingsError

    mend = 'In execution.toml: [account] mode = "live", pinned = "ACCOUNT ID"'
    return SettingsError(
        f"A live run needs the settings to say live, and they say paper. {NOTHING_SENT} {mend}",
        code="settings_not_live",
        place="--live",
        value="paper",
        limit="live",
        hint=mend,
    )


def _no_broker(name: str) -> Exception:
    from steelyard.errors import InputError, did_you_mean

    near = did_you_mean(name, BROKERS)
    return InputError(
        f"There is no broker {name}.{near} Nothing was sent. There are: {', '.join(BROKERS)}",
        code="no_such_broker",
        place="--broker",
        value=name,
        limit=", ".join(BROKERS),
        hint=near.strip(),
    )
