"""Read-only mappings that can be pickled and copied, and so can every record that has one.

A pool of processes is handed snapshots, markets and strategies; `pickle` and `copy` know no
`mappingproxy` until they are told how one is made again. Whoever defines a record with one imports
this file.
"""

from __future__ import annotations

import copyreg
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any


def closed(mapping: dict[Any, Any]) -> Mapping[Any, Any]:
    """A mapping that nobody can write to."""
    return MappingProxyType(mapping)


def _proxy(proxy: MappingProxyType[Any, Any]) -> tuple[Any, ...]:
    return closed, (dict(proxy),)


copyreg.pickle(MappingProxyType, _proxy)
