"""The loop in a thread of its own."""

from __future__ import annotations

import asyncio

from steelyard.services.carriage.loop import Loop


def test_what_is_under_way_when_it_closes_is_cancelled_and_not_lost():
    loop, closed = Loop("test"), []
    forever = loop.begin(asyncio.sleep(60))

    async def last() -> None:
        closed.append("last")

    loop.close(last)

    assert closed == ["last"]
    assert forever.cancelled()
