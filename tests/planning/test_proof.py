"""The certificate: its two numbers add up, and a proven plan leaves no gap."""

import pytest
from hypothesis import given

from builders.worlds import FEWER, worlds


@FEWER
@given(worlds())
def test_the_certificate_adds_up(of):
    plan = of.plan()
    proof, score = plan.certificate, plan.score

    assert proof.candidates == len(plan.candidates)
    if proof.status == "proven":
        assert proof.search_gap == 0
    if proof.bound is not None:
        # of the table: what fitting the quantities added is beyond it
        total = score.hold + score.improvement - (proof.refined or 0.0) + proof.search_gap
        assert proof.bound == pytest.approx(total, rel=1e-9, abs=1e-9)
    if proof.structural_headroom is not None:
        assert proof.structural_headroom >= 0
