"""What a module answers to a context, from the cache where the module says how long it may be kept.

The key is the context, the parameters, and which code answers: name, version, source, the digest of
a plugin, the code of what a script registered, which may be another under the same version.
"""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any, TypeVar

from steelyard.calculations.digest import digest
from steelyard.modules.context import Context
from steelyard.modules.registry import CODE, Module, ModuleParams
from steelyard.planning.guard import Guard

T = TypeVar("T")


def answered(
    guard: Guard,
    module: Module,
    ctx: Context,
    params: ModuleParams,
    checked: Callable[[Any], T],
) -> T:
    """The answer of a calculator or a score term, as `checked` gives it; raises what it raises."""

    def work() -> T:
        return checked(module.call(ctx, params))

    calculations, seconds = guard.calculations, module.cache_seconds
    code = None if module.source != CODE else _code(module.call)
    if calculations is None or not seconds or code == ():
        return work()
    key = digest(
        of=module.qualified,
        version=module.version,
        source=module.source,
        sha256=module.digest,
        code=code,
        context=ctx.sha256,
        params=params,
    )
    return calculations.once(key, work, seconds=seconds)


def _code(call: Callable[..., Any]) -> tuple[Any, ...]:
    """What a function does, as values; nothing where it hangs on more than its text."""
    if not isinstance(call, FunctionType) or call.__closure__ or call.__defaults__:
        return ()
    return _values(call.__code__)


def _values(code: CodeType) -> tuple[Any, ...]:
    """Not `marshal`: it writes the same code in several ways."""
    constants = [_values(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts]
    return (code.co_code, code.co_names, code.co_varnames, *constants)
