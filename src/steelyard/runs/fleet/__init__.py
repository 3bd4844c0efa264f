"""Many accounts, each planned by itself: a folder in, a row for each account in the store.

    folder          DIR → its accounts, and the files that all have in common
    account_file    account.toml → name, cash, strategy
    shared          what every worker has once: prices, rates, strategies
    worker          an account's files → its plan → a row; nothing stops the others
    engines/        who works: this process, processes of this machine, a cluster
    run             claims slices, hands them out, keeps what comes back, goes on where it stopped
    results         what to look at first, and the totals

An account is planned as `steelyard plan` would plan its files: the plan has the same id. Only the
process that runs a fleet writes to the store; workers only calculate.
"""
