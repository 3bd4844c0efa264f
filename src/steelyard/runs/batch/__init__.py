"""Plans that are slow, made in slices that are stored as they are done: any process may go on.

    bucket    one bucket: held, planned, its plan kept
    one_call  a plan of so many slices, for whoever calls again
    key       what a run is, and what changed since the one before
    steps     the steps of a plan that stores what it calculates, and takes what is stored
    ranges    sequences in their canonical order, in ranges of any length
    best      of a range what can still be among the best few
    answers   what slow formulas said
    table     one hash of all that a sequence's worth is a function of
    listed    runs as plain values

Planning does not know of it: it is given steps (`planning.solve.Steps`) and gives the plan that it
gives without. Sequences are not stored: they are generated again, in the same order, and each
stored range has the digest of the sequences that it is of.
"""
