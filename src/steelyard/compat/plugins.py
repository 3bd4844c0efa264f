"""The documents' plugin loader: files of a folder, of which only those that are allowed run.

A file is allowed by its name and hash, as in `[plugins]` of a strategy; it runs in a process of its
own, and its modules are registered here. Whatever else is in the folder is named on the log, with
the line that would allow it, and not run.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from steelyard.modules.plugins import Loaded, load_plugins
from steelyard.modules.registry import Module, add
from steelyard.settings import Plugins

LOGGER = logging.getLogger("steelyard")


class PluginLoader:
    """Loads the allowed plugins of a folder; `close` ends their processes.

    plugin_dir   `~` is the user's home
    allowed      file name -> `sha256:` and its hash
    """

    def __init__(
        self, plugin_dir: Path | str, allowed: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self.plugin_dir, self.allowed = Path(plugin_dir).expanduser(), dict(allowed)
        self._loaded: list[Loaded] = []

    def load_plugins(self) -> list[Module]:
        """Register the modules of the allowed files, and say what was not loaded; nothing raises.

        A folder that is not there has no plugins.
        """
        for file in sorted(self.plugin_dir.glob("*.py")):
            if file.name not in self.allowed:
                LOGGER.warning(
                    "The plugin %s was not loaded: nothing allows it. Whoever trusts it allows "
                    'it by %r: "sha256:%s"',
                    file,
                    file.name,
                    hashlib.sha256(file.read_bytes()).hexdigest(),
                )
        if not self.allowed:
            return []
        settings = Plugins(folder=str(self.plugin_dir), files=self.allowed)
        loaded = load_plugins(settings, None)
        self._loaded.append(loaded)
        for problem in loaded.problems:
            LOGGER.error("%s", problem.message)
        modules = [module for by_kind in loaded.modules.values() for module in by_kind]
        for module in modules:
            add(module)
            LOGGER.info("Loaded plugin: %s", module.qualified)
        return modules

    def close(self) -> None:
        """End the processes of the plugins; their modules fail from then on."""
        while self._loaded:
            self._loaded.pop().close()
