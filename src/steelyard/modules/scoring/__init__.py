"""End states to scores: one term a file, the readable reference evaluator, the array form.

In: a Context. Out: terms, each a weighted sum of parts; a part is a raw figure of the end state z =
(w, c) (weights (n,) and all cash, both of pre-trade value, cash *before* costs, so that they sum to
1), scaled by two fixed anchors: x = (raw - lo) / (hi - lo), never clipped. To add one: a file with
one `@score_term` function.

    F(z) = sum over terms of weight x sum over parts of share x x(z)
"""
