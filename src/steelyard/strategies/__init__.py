"""A strategy: which modules run, with which parameters, under which limits, costs and score.

In: TOML text, or nothing for the defaults. Out: a frozen `Strategy` with every default filled in, the reason of
each choice, and a hash of all that acts.

    strategy.py   the record and the default
    load.py       TOML to record: caps, sections, modules
    problems.py   what is wrong with a table, in words: key, value, allowed range
"""

from steelyard.strategies.load import load, parse
from steelyard.strategies.strategy import ModuleChoice, Strategy, Why, default

__all__ = ["ModuleChoice", "Strategy", "Why", "default", "load", "parse"]
