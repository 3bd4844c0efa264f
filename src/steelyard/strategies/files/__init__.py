"""How a TOML file, a text or a mapping becomes settings: four steps, and the words for what is wrong.

    reading.py     bytes → values, and the line of each key: caps first, then syntax
    normalise.py   values in any spelling of `spellings.py` → settings of the house form
    building.py    settings laid over a strategy, every value validated by its model
    problems.py    what is wrong, in words: key, value, allowed range

`strategies.load` walks them: read, normalise, lay over the preset, then ask the rules; no step stops
at its first problem, so all of them are told at once. To accept another spelling: a row in `spellings.py`.
"""
