"""The one import mapping: module names of the usage guide and its sister documents to ours."""

from __future__ import annotations

import re
from collections.abc import Mapping

from steelyard.errors import InputError, did_you_mean

COMPAT = "steelyard.compat"
LOGGER = "app.modules.planning"
"""The documents' logger; ours is `steelyard`."""

IMPORTS: Mapping[str, str] = {
    "app.modules.planning.domain.planner": COMPAT,
    "app.modules.planning.domain.planner_adapter": COMPAT,
    "app.modules.planning.domain.holistic_planner": COMPAT,
    "app.modules.planning.domain.config.models": COMPAT,
    "app.modules.planning.domain.config.factory": COMPAT,
    "app.modules.planning.domain.config.validator": COMPAT,
    "app.modules.planning.domain.config.planner_config": COMPAT,
    "app.modules.planning.domain.config.schema_generator": COMPAT,
    "app.modules.planning.domain.calculations.base": COMPAT,
    "app.modules.planning.domain.calculations.opportunities.base": COMPAT,
    "app.modules.planning.domain.calculations.cache": COMPAT,
    "app.modules.planning.domain.calculations.plugin_loader": COMPAT,
    "app.modules.planning.domain.circuit_breaker": COMPAT,
    "app.modules.planning.domain.events": COMPAT,
    "app.modules.planning.domain.logging": COMPAT,
    "app.modules.planning.services.ab_testing": COMPAT,
    "app.modules.planning.services.config_differ": COMPAT,
    "app.modules.planning.services.config_import_export": COMPAT,
    "app.modules.planning.services.config_manager": COMPAT,
    "app.modules.planning.services.planner_factory": COMPAT,
    "app.modules.planning.jobs.planner_batch": COMPAT,
    "app.modules.satellites.domain.models": COMPAT,
    "the_alchemiser.domain.registry": COMPAT,
    LOGGER: "steelyard",
}
"""Name in the documents -> the module here that has whatever they import from it."""

_DOTTED = re.compile(r"(?<![\w.])(?:app\.modules|the_alchemiser)(?:\.[A-Za-z_]\w*)+")


def translate(source: str) -> str:
    """Python source of the documents with its module names replaced; nothing else changes.

    Raises InputError for a name under one of their packages that the table does not have.
    >>> translate("from app.modules.planning.domain.planner import HolisticPlanner")
    'from steelyard.compat import HolisticPlanner'
    """
    return _DOTTED.sub(lambda match: _ours(match[0]), source)


def _ours(name: str) -> str:
    module, _, member = name.rpartition(".")
    if name not in IMPORTS and module in IMPORTS and module != LOGGER:
        return f"{IMPORTS[module]}.{member}"
    if name not in IMPORTS:
        what = f"{name} has no counterpart in steelyard.compat.IMPORTS"
        advice = "docs/names.md says where each name of the documents lives."
        near = did_you_mean(name, list(IMPORTS))
        raise InputError(
            f"{what}.{near} Nothing was translated; {advice}",
            code="no_counterpart",
            value=name,
            hint=f"{near} {advice}".strip(),
        )
    return IMPORTS[name]
