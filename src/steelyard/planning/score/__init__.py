"""The objective: score terms, their weights, the charges, and the two evaluators."""
