"""The scheduler: looks what is due, again and again, as long as it has its turn."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from steelyard.errors import ChangedMeanwhile, SettingsError
from steelyard.store.store import Store
from steelyard.watch.desk import WAITS, desk_of
from steelyard.watch.look import Looked, look
from steelyard.watch.turn import Turn, looking, turn_of

LOOK_SECONDS = 30.0
"""Between two looks."""
Say = Callable[[str], None]


def once(store: Store, variables: Mapping[str, str], base_url: str, remark: Say) -> Looked | None:
    """One look; None where another process has the turn. Raises SettingsError, StoreError."""
    turn = turn_of(store)
    if turn is None:
        return None
    with _during(turn):
        return look(desk_of(turn, variables, base_url, remark=remark))


def run(
    store: Store,
    variables: Mapping[str, str],
    base_url: str,
    *,
    over: threading.Event,
    heard: Callable[[Looked], None],
    remark: Say,
) -> None:
    """Look until `over`; where another process has the turn, wait for it and say so once.

    heard    told what came of each look
    remark   told what people should know
    Raises StoreError, and SettingsError where the settings are no use from the start.
    """
    waits_for = ""
    while not over.is_set():
        turn = turn_of(store)
        if turn is None:
            other = looking(store) or "another process"
            if other != waits_for:
                remark(f"{other} looks already. This one waits until it ends.")
            waits_for = other
            over.wait(LOOK_SECONDS)
            continue
        waits_for = ""
        with _during(turn):
            _while_mine(turn, variables, base_url, over=over, heard=heard, remark=remark)


def _while_mine(
    turn: Turn,
    variables: Mapping[str, str],
    base_url: str,
    *,
    over: threading.Event,
    heard: Callable[[Looked], None],
    remark: Say,
) -> None:
    """Look after look, by the settings as they are then, until another process has the turn."""
    looks = 0
    while not over.is_set():
        try:
            heard(look(desk_of(turn, variables, base_url, remark=remark, waits=WAITS)))
        except SettingsError as error:
            if not looks:
                raise
            remark(f"This look is passed over: {error}")
        except ChangedMeanwhile as error:
            remark(str(error))
            return
        looks += 1
        over.wait(LOOK_SECONDS)


@contextmanager
def _during(turn: Turn) -> Iterator[None]:
    """A turn that is extended, and left to others at the end."""
    try:
        with turn.going_on():
            yield
    finally:
        turn.release()
