"""Who may ask what, and how much of it: tokens, roles, hosts, limits. In comes a request, out goes
the caller's role, or a refusal.
"""
