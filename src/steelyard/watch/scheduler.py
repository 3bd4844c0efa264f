"""The scheduler: looks what is due, again and again, as long as it has its turn."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from steelyard.errors import ChangedMeanwhile, SettingsError, StoreError
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
    Raises StoreError and SettingsError where the first look cannot be had. From then on such a look
    is passed over: a database that is locked or full for a while is there again.
    """
    looks, waits_for = 0, ""

    def one_look(turn: Turn) -> None:
        nonlocal looks
        heard(look(desk_of(turn, variables, base_url, remark=remark, waits=WAITS)))
        looks += 1

    while not over.is_set():
        try:
            turn = turn_of(store)
            other = (looking(store) or "another process") if turn is None else ""
            if turn is not None:
                _while_mine(turn, one_look, over=over)
        except ChangedMeanwhile as error:
            remark(str(error))
            continue
        except (SettingsError, StoreError) as error:
            if not looks:
                raise
            remark(f"This look is passed over: {error}")
        else:
            if other and other != waits_for:
                remark(f"{other} looks already. This one waits until it ends.")
            waits_for = other
        over.wait(LOOK_SECONDS)


def _while_mine(turn: Turn, one_look: Callable[[Turn], None], *, over: threading.Event) -> None:
    """Look after look, by the settings as they are then; raises what a look raises."""
    with _during(turn):
        while not over.is_set():
            one_look(turn)
            over.wait(LOOK_SECONDS)


@contextmanager
def _during(turn: Turn) -> Iterator[None]:
    """A turn that is extended, and left to others at the end."""
    try:
        with turn.going_on():
            yield
    finally:
        turn.release()
