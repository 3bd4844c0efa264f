"""The sections of a plan in a terminal, in their order."""

from steelyard.report.terminal.sections import (
    alternatives,
    candidates,
    cash,
    certificate,
    classes,
    costs,
    drift,
    explanation,
    head,
    modules,
    not_traded,
    notes,
    outlook,
    prices,
    score,
    seal,
    time_taken,
    trades,
    weights,
    what_if,
)

SECTIONS = (
    *(head, trades, costs, drift, classes, weights, score, outlook, cash),
    *(not_traded, alternatives, what_if, explanation),
)
EXPLAINED = (prices, candidates, modules)
LAST = (certificate, notes, seal)
TIMED = (time_taken,)
