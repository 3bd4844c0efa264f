"""How a TOML file, a text or a mapping becomes settings: the steps of `strategies.load`, in order.

    reading.py     bytes -> values, and the line of each key: caps first, then syntax
    normalise.py   values in any spelling of `spellings.py` -> settings of the house form
    building.py    settings laid over a preset or a strategy, every value validated by its model
    problems.py    what is wrong, in words: key, value, allowed range

No step stops at its first problem, so that all are told at once; the rules are asked last, where
every value is usable. To accept another spelling: a row in `spellings.py`.
"""
