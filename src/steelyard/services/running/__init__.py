"""Services as processes: bound, started, watched, ended. In goes a topology, out come processes
that answer.

    serving, nursery     all of them, and where they split off
    process, orders      one of them, and what it is told
    server, sockets, ports, reach, certificates      where and as whom it listens
"""
