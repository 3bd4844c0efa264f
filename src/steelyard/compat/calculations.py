"""The documents' cache of calculations: a decorator of methods, and the cache behind it.

    class ProfitTakingCalculator(OpportunityCalculator):
        @cacheable(ttl=60)
        async def calculate(self, context, params): ...

Results are closed to writing: a list comes back as a tuple. What modules of ours say with
`cache_seconds` a class says with this; it is not the cache that a plan is made with.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Callable, Mapping
from functools import wraps
from types import MappingProxyType
from typing import Any

from steelyard.calculations.cache import SECONDS, Calculations
from steelyard.calculations.digest import digest
from steelyard.compat.modules import completed
from steelyard.modules.context import Context


class CalculationCache:
    """Results by key, each for its own time; `seconds` and `most_bytes` as of `Calculations`."""

    def __init__(
        self, seconds: float = SECONDS, clock: Callable[[], float] = time.time, **settings: Any
    ) -> None:
        self.calculations = Calculations(seconds=seconds, clock=clock, **settings)
        self._clock = clock

    def key(self, calculator_name: str, context_hash: str, params: Mapping[str, Any]) -> str:
        """The key of a result; raises InputError for parameters that cannot be hashed."""
        return f"{calculator_name}:{context_hash}:{digest(params=params).hex()}"

    def get(self, key: str) -> Mapping[str, Any] | None:
        """`value` and `expires_at`, seconds of the clock; None where it is not there."""
        entry: Mapping[str, Any] | None = self.calculations.get(key.encode())
        return entry

    def set(self, key: str, value: Any, ttl: float | None = None) -> None:
        """Keep a result for `ttl` seconds, 0 = not at all; raises SettingsError for less."""
        seconds = self.calculations.seconds if ttl is None else ttl
        entry = MappingProxyType({"value": value, "expires_at": self._clock() + seconds})
        self.calculations.put(key.encode(), entry, seconds=seconds)

    def clear_expired(self) -> int:
        """Remove what is over; how many results that were."""
        return self.calculations.clear_expired()


CACHE = CalculationCache()
"""What `cacheable` keeps results in, in this process."""


def hash_context(context: Any) -> str:
    """SHA-256 of a context or any record, by its content; raises InputError naming what has none.

    >>> hash_context({"a": 1}) == hash_context({"a": 1}), len(hash_context(None))
    (True, 64)
    """
    return (context.sha256 if isinstance(context, Context) else digest(context=context)).hex()


def clear_expired() -> int:
    """Remove from the cache of this process what is over; how many results that were."""
    return CACHE.clear_expired()


def cacheable(ttl: float = SECONDS) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Keep what a method gives for the same context and parameters, for `ttl` seconds.

    What raises is not kept. One call at a time works at a key, in a thread beside a running loop.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        def once(self: Any, context: Any, params: Any) -> Any:
            name = f"{_name(self)}.{function.__qualname__}"
            key = CACHE.key(name, hash_context(context), params)

            def work() -> Any:
                return completed(function, self, context, params)

            return CACHE.calculations.once(f"once:{key}".encode(), work, seconds=ttl)

        if not inspect.iscoroutinefunction(function):
            return wraps(function)(once)

        @wraps(function)
        async def wrapper(self: Any, context: Any, params: Any) -> Any:
            return await asyncio.to_thread(once, self, context, params)

        return wrapper

    return decorate


def _name(module: Any) -> str:
    """Name and version of a module of a class; of another object its class."""
    metadata = getattr(module, "metadata", None)
    name = getattr(metadata, "name", None) or getattr(module, "name", type(module).__qualname__)
    return f"{type(module).__module__}.{name} {getattr(metadata, 'version', '')}"
