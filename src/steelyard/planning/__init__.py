"""A case in, a plan out; pure."""
