"""How many requests a minute: under the broker's limit, with a share that orders may not use."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

PER_MINUTE = 180
"""The broker's own limit is 200."""
RESERVED = 0.20
"""Of it, for cancels and questions."""
WINDOW_S = 60.0


class Allowance:
    """Waits until a request may go.

    now, sleep   a clock that only goes forward, in seconds, and how to let it
    """

    def __init__(
        self,
        now: Callable[[], float],
        sleep: Callable[[float], None],
        per_minute: int = PER_MINUTE,
    ) -> None:
        self._now, self._sleep, self._most = now, sleep, per_minute
        self._sent: deque[float] = deque()
        self._held_until = 0.0

    def hold(self, seconds: float) -> None:
        """Let nothing go for so long: the broker asked for it."""
        self._held_until = self._now() + seconds

    def wait(self, *, order: bool) -> None:
        """Until fewer than the most went within the last minute; `order`: of those for orders."""
        if self._now() < self._held_until:
            self._sleep(self._held_until - self._now())
        most = int(self._most * (1 - RESERVED)) if order else self._most
        while len(self._recent()) >= most:
            self._sleep(max(self._sent[0] + WINDOW_S - self._now(), 0.001))
        self._sent.append(self._now())

    def _recent(self) -> deque[float]:
        while self._sent and self._sent[0] <= self._now() - WINDOW_S:
            self._sent.popleft()
        return self._sent
