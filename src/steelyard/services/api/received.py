"""A configuration's text that came over HTTP: valid, whole, and without anything of this machine.

Plugins are code: which are run is said in a file on this machine, never from outside. The table is
refused before the text is read as a strategy, which would load them.
"""

from __future__ import annotations

from steelyard.errors import SettingsError
from steelyard.store.exchange import standing_alone
from steelyard.strategies import Strategy
from steelyard.strategies.files.reading import document

PLUGINS = "plugins"
REFUSED = "plugins_over_http"
"""Code of that refusal."""


def strategy_from(text: str, name: str) -> Strategy:
    """The strategy of a text; raises SettingsError with every problem."""
    refuse_plugins(text, name)
    return standing_alone(text, name, name, None)


def refuse_plugins(text: str, name: str) -> None:
    """Raise SettingsError for a text that is no TOML or lists plugins; nothing is loaded."""
    if PLUGINS in document(text, name).values:
        save = f"steelyard strategy save {name} F.toml"
        raise SettingsError(
            f"The configuration {name} has a table [{PLUGINS}]: code is enabled in a file on the "
            f"machine that runs it, never over HTTP. Nothing was loaded and nothing was saved. "
            f"Leave the table out, or save the file on that machine: {save}",
            code="plugins_over_http",
            place=PLUGINS,
            limit="no table of plugins",
            hint=f"leave it out, or on that machine: {save}",
        )
