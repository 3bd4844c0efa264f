"""Runs as plain values, for lists."""

from __future__ import annotations

from typing import Any

from steelyard.store.batches import Run


def document(run: Run) -> dict[str, Any]:
    """A run in a list."""
    share = 100 * run.evaluated / run.total if run.total else (100.0 if run.final else 0.0)
    return {
        "run_key": run.run_key,
        "bucket": run.bucket,
        "created_at": run.created_at.isoformat(),
        "touched_at": run.touched_at.isoformat(),
        "evaluated": run.evaluated,
        "total": run.total,
        "progress_percentage": round(share, 1),
        "final": run.final,
        "errors": run.errors,
        "plan_id": run.plan_id,
        "because": run.because,
    }
