"""The plan document: one schema for the command line, the report, the API and the store.

    account.py   what is owned, by which prices and rules, before and after
    orders.py    the orders, their costs, the alternatives, and what was not traded
    score.py     the score by term and part; the certificate
    answers.py   what would change the plan, and how sure it is
    plan.py      the document itself, its id, and its JSON Schema
    diff/        two plans compared
    verify/      the independent second opinion: of ours it imports only the ground and money

To add a field: its record here, `planning/document.py` which writes it, a meaning in
`scripts/meanings.toml`; fields are only added, never renamed.
"""
