"""POST /evaluator/evaluate: what sequences are worth. POST /evaluator/prove: the whole search."""

from __future__ import annotations

import time
from typing import Annotated

import numpy as np
from fastapi import APIRouter, Request
from pydantic import Tag

from steelyard.arrays import FloatArray, frozen
from steelyard.errors import InputError
from steelyard.modules.candidates import Batch
from steelyard.planning.keep import Pool
from steelyard.planning.solve import score_batch
from steelyard.services.carriage.carried import indices, proved
from steelyard.services.carriage.messages import BatchForm, ProveAsked, ScoresForm, StepForm
from steelyard.services.carriage.records import ArrayForm
from steelyard.services.contexts import add_contexts, task_of
from steelyard.services.documents import asked as documents
from steelyard.services.either import OURS, WHOLE, by
from steelyard.services.observing import meters_of
from steelyard.services.results import Results
from steelyard.services.security.roles import needs
from steelyard.services.wire import EvaluateSequencesRequest, EvaluateSequencesResponse

router = APIRouter(tags=["evaluator"])
add_contexts(router, "evaluator")

Body = Annotated[
    Annotated[BatchForm, Tag(OURS)] | Annotated[EvaluateSequencesRequest, Tag(WHOLE)],
    by("context", BatchForm),
]


@router.post("/evaluator/evaluate", dependencies=[needs("planner")])
def evaluate(request: Request, body: Body) -> ScoresForm | EvaluateSequencesResponse:
    """The best few of a whole request; of a context's batch what each sequence is worth."""
    if not isinstance(body, BatchForm):
        return documents.evaluate(body)
    task = task_of(request, body)
    table = task.whole
    rows = indices(body.rows, task.ctx.search.max_depth, table.m)

    def score() -> FloatArray:
        origin = frozen(np.zeros(len(rows), dtype=np.int64))
        return score_batch(table, Batch(body.number, rows, origin, ())).net

    results: Results = request.app.state.results
    net = results.of(body.context, rows, score)
    meters_of(request).sequences(len(rows))
    return ScoresForm(number=body.number, net=ArrayForm.of(net))


def nets(form: ArrayForm, k: int) -> FloatArray:
    """What k proposals are worth, (k,); raises InputError for any others."""
    net = form.array()
    if net.dtype != np.float64 or net.shape != (k,) or not (net < np.inf).all():
        raise InputError(
            f"The nets are {net.dtype} of shape {net.shape}; numbers of shape ({k},), none of them "
            "NaN or inf, are due. Nothing was calculated.",
            code="nets_unusable",
            place="net",
            value=net.shape,
            limit=(k,),
        )
    return np.asarray(net, dtype=np.float64)


@router.post("/evaluator/prove", dependencies=[needs("planner")])
def prove(request: Request, body: ProveAsked) -> StepForm:
    """The search of the context's scope, from the best proposals."""
    task = task_of(request, body)
    rows = indices(body.rows, task.ctx.search.max_depth, task.whole.m)
    pool, note = Pool(rows, nets(body.net, len(rows)), body.seen), meters_of(request).modules
    return proved(task, pool, time.perf_counter, note)
