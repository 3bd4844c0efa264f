"""How orders are worked: priced, sent, watched, cancelled, asked for; sells, then money, then buys.

In: a desk with a run. Out: the journal says what became of every attempt. Each file is one step of
the way; all but `price` and `shrink`, which are pure, write before they act.
"""
