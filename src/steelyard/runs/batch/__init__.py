"""Plans that are slow, made in slices that are stored as they are done: any process may go on.

    bucket     one bucket: held, planned, its plan kept
    call       one process's work at a run: its steps, how far it came, what is said of it
    key        what a run is, and what changed since the one before
    work       what a process holds and counts; the heartbeat of its leases
    steps      the steps of a plan that stores what it calculates, and takes what is stored
    ranges     work in ranges of any length
    sequences, best   of a range of sequences what can still be among the best few
    compared   figures of lists in drawn scenarios
    answers    what slow formulas said
    nodes      searches over whole lots, in stretches of their nodes
    listed     runs as plain values

Planning does not know of it: it is given steps (`planning.solve.Steps`) and gives the plan that it
gives without. Sequences are not stored: they are generated again, in the same order, and each
stored range has the digest of the sequences that it is of.
"""
