"""Hundreds of positions with ten years of closes, as files: long to read, many orders to make."""

from __future__ import annotations

from pathlib import Path

import numpy as np

LAST = np.datetime64("2026-01-09")
SECTORS = ("Tech", "Health", "Energy", "Banks", "Retail", "Utilities", "Materials")
VALUE, CASH = 2_000_000, 0.01
STRATEGY = """name = "many orders"
[limits]
cash_reserve_weight = 0.0
min_trade_weight = 0.0
min_trade_base = 100
[costs]
fixed = 0.0
percent = 0.0001
"""


def write_files(folder: Path, positions: int, sessions: int, seed: int = 1) -> dict[str, Path]:
    """Option -> file; weights have a long tail, each is held at half to one and a half of its
    target.
    """
    rng = np.random.default_rng(seed)
    symbols = [f"S{i:04d}" for i in range(positions)]
    days = np.busday_offset(LAST, np.arange(1 - sessions, 1), roll="backward")
    moves = 0.9 * rng.normal(0.0003, 0.009, (sessions, 1))
    moves = moves + rng.normal(0, 0.015, (sessions, positions))
    closes = np.exp(np.cumsum(moves, axis=0)) * rng.uniform(20, 300, positions)
    weights = rng.pareto(1.5, positions) + 0.2
    weights = np.floor(weights / weights.sum() * 0.995 * 1e7) / 1e7
    shares = (VALUE * weights * rng.uniform(0.5, 1.4, positions) / closes[-1]).astype(int)
    cash = max(VALUE - float((shares * closes[-1]).sum()), CASH * VALUE)
    rows = {
        "prices": [
            "date," + ",".join(symbols),
            *(
                f"{day}," + ",".join(f"{close:.2f}" for close in row)
                for day, row in zip(days, closes, strict=True)
            ),
        ],
        "holdings": [
            "symbol,quantity",
            *(f"{s},{k}" for s, k in zip(symbols, shares, strict=True) if k),
            f"CASH:USD,{cash:.2f}",
        ],
        "targets": [
            "symbol,weight", *(f"{s},{w:.7f}" for s, w in zip(symbols, weights, strict=True)),
        ],
        "securities": [
            "symbol,product_type,sector,country",
            *(f"{s},stock,{SECTORS[i % 7]},United States" for i, s in enumerate(symbols)),
        ],
    }  # fmt: skip
    files = {name: folder / f"{name}.csv" for name in rows} | {"strategy": folder / "many.toml"}
    for name, lines in rows.items():
        files[name].write_text("\n".join(lines) + "\n")
    files["strategy"].write_text(STRATEGY)
    return files
