"""What Steelyard costs in time, measured: `make bench` runs the suite and writes
benchmarks/README.md.

    run          runs the suite, writes the README's tables
    test_*       what is measured, one file a subject
    planning     inputs to a finished candidate table; any list of orders scored as it is
    seed_baseline, original_score   four recorded inputs, their recorded plans, the score they were
                                    made for
    instances    random tables for the search, by shape and seed; brute force over small ones
    search       the product's search on such tables, and what capped enumeration and greed miss
    quantities   plans over whole lots: worth, distance from the best, time, memory
    modes        ways to evaluate besides the score of today (`python -m benchmarks.modes`)
    fleet        a folder of accounts: plans a second, what distribution costs, sizes extrapolated
    reading      files by size: seconds and memory (`python -m benchmarks.reading`)
    pictures     time against n, m and depth
    peers        other libraries on related problems, in an environment of their own (`make
                 bench-peers`)

Milliseconds are reported, never gated; what is gated is a ratio within one run (tests/benchmarks).
"""

import os

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")

# before anything imports numpy: no figure here may depend on how many cores are free
os.environ.update(dict.fromkeys(THREADS, "1"))
