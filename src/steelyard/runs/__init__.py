"""Many plans: of two strategies on the same snapshots, of a bucket as it is stored."""
