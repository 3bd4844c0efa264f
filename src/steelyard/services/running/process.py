"""The process of one service: what it is to be comes in, and it answers until a signal ends it.

It ends by itself when the process that started it is gone, however that went: nobody is left over.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing import parent_process
from multiprocessing.connection import wait
from pathlib import Path
from threading import Thread

from steelyard.errors import SteelyardError
from steelyard.report import visible
from steelyard.services import observing
from steelyard.services.applications import application
from steelyard.services.house import House
from steelyard.services.running.orders import Order
from steelyard.services.running.server import GRACE_S, serve
from steelyard.services.running.sockets import port_of
from steelyard.services.security.tokens import own_token

FAILED = 1
LAST_S = GRACE_S + 5
NAME = Path("/proc/self/comm")
"""What lists of processes show, where there is such a file."""


def main(order: Order, sockets: Sequence[socket.socket]) -> None:
    """A child: serve as ordered; exits with 1 if it cannot."""
    if sys.platform != "win32":
        os.setpgid(0, 0)  # Ctrl-C is for the parent, which ends us in its order
    Thread(target=_end_with_parent, daemon=True).start()
    os.environ.clear()
    os.environ.update(order.variables)
    with suppress(OSError):
        NAME.write_text(f"{order.name}-{port_of(sockets)}")
    try:
        run(order, sockets)
    except SteelyardError as error:
        sys.stderr.write(f"{order.name}: {visible(str(error))}\n")
        raise SystemExit(FAILED) from error


def run(
    order: Order, sockets: Sequence[socket.socket], ready: Callable[[], object] = lambda: None
) -> None:
    """Answer until a signal ends the process; `ready` is called when it begins to."""
    for each in sockets:  # what the service starts does not get them
        each.set_inheritable(False)
    port = port_of(sockets)
    house = House(
        order.variables,
        port=port,
        hosts=order.reach.names,
        topology=order.topology,
        traces=observing.begin(
            order.variables, order.topology.telemetry, order.name, sys.stderr, port
        ),
    )
    own_token(house)
    serve(application(order.name, house), sockets, order.reach.certificate, ready)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is None:
        return
    wait([parent.sentinel])
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(LAST_S)
    os._exit(128 + signal.SIGTERM)
