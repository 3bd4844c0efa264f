"""A reconciliation as JSON: what programs rely on, and each line behind it."""

from __future__ import annotations

import json

from builders.accounts import BUY, account, activity, fill, opening, ours, theirs
from steelyard.execution.reconcile import compare
from steelyard.execution.reconcile.document import (
    activity_document,
    activity_of,
    document,
    fill_document,
    fill_of,
    opening_document,
    opening_of,
)

TEN = opening({"A": 10}, {"USD": 1000})


def test_it_says_whether_it_is_clean_what_breaks_and_what_the_broker_has():
    other = fill("f1", "A", BUY, 1, 100, order="by-hand")
    paid = activity("div", "DIVIDEND", {"USD": 1}, "A")
    broker = theirs(account({"A": "11.5"}, {"USD": 901}), other, activities=[paid])

    content = json.loads(json.dumps(document(compare(ours(TEN), broker))))

    assert (content["clean"], content["cash"]) == (False, {"USD": "901"})
    assert [(row["symbol"], row["quantity"]) for row in content["holdings"]] == [("A", "11.5")]
    assert content["breaks"] == [
        {
            "level": "position",
            "code": "shares_differ",
            "subject": "A",
            "why": "11 A are expected, the broker has 11.5",
            "ours": "11",
            "broker": "11.5",
            "difference": "0.5",
            "tolerance": "0.000001",
        }
    ]
    assert [row["execution_id"] for row in content["foreign"]] == ["f1"]
    assert [row["activity_id"] for row in content["explained"]] == ["div"]


def test_what_is_kept_is_read_back_as_it_was():
    other = fill("f1", "A", BUY, "1.25", "100.5", fee="0.35")
    paid = activity("div", "SPLIT", {"USD": 1}, "A", 3)

    assert fill_of(fill_document(other)) == other
    assert activity_of(activity_document(paid)) == paid
    assert opening_of(opening_document(TEN)) == TEN
