"""POST /evaluator/evaluate: net of a batch. POST /evaluator/prove: the search of a context."""

from __future__ import annotations

import time

import numpy as np
from fastapi import APIRouter, Request

from steelyard.arrays import frozen
from steelyard.modules.candidates import Batch
from steelyard.planning.keep import Pool
from steelyard.planning.solve import score_batch
from steelyard.services.carried import indices, proved
from steelyard.services.contexts import add_contexts, task_of
from steelyard.services.messages import BatchForm, ProveAsked, ScoresForm, StepForm
from steelyard.services.records import ArrayForm
from steelyard.services.security.roles import needs

router = APIRouter()
add_contexts(router, "evaluator")


@router.post("/evaluator/evaluate", dependencies=[needs("planner")], tags=["evaluator"])
def evaluate(request: Request, asked: BatchForm) -> ScoresForm:
    """What each sequence of a batch is worth."""
    task = task_of(request, asked)
    table = task.whole
    rows = indices(asked.rows, task.ctx.search.max_depth, table.m)
    origin = frozen(np.zeros(len(rows), dtype=np.int64))
    scores = score_batch(table, Batch(asked.number, rows, origin, ()))
    return ScoresForm(number=asked.number, net=ArrayForm.of(scores.net))


@router.post("/evaluator/prove", dependencies=[needs("planner")], tags=["evaluator"])
def prove(request: Request, asked: ProveAsked) -> StepForm:
    """The search of the context's scope, from the best proposals."""
    task = task_of(request, asked)
    rows = indices(asked.rows, task.ctx.search.max_depth, task.whole.m)
    return proved(task, Pool(rows, asked.net.array(), asked.seen), time.perf_counter)
