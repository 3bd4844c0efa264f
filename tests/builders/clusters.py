"""A scheduler and workers of Dask as processes of their own, to be killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

SECONDS = 60.0
PATHS = (str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH"))
"""A worker can import what the tests and the promises send it."""
ONE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class Machines:
    """What runs, by name; each end kills it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.running = folder, dict[str, subprocess.Popen[bytes]]()
        self.port = 0

    def scheduler(self) -> str:
        """Start one, at the address of the one before; its address."""
        file = self.folder / f"scheduler-{len(self.running)}-{time.monotonic_ns()}.json"
        self._start(
            "scheduler", "dask_scheduler", "--host", "127.0.0.1", "--port", str(self.port),
            "--no-dashboard", "--scheduler-file", str(file),
        )  # fmt: skip
        until = time.monotonic() + SECONDS
        while not file.exists() or not file.read_text().strip().endswith("}"):
            if time.monotonic() > until or self.running["scheduler"].poll() is not None:
                raise RuntimeError((self.folder / "scheduler.log").read_text())
            time.sleep(0.05)
        address = str(json.loads(file.read_text())["address"])
        self.port = int(address.rpartition(":")[2])
        return address

    def worker(self, name: str, address: str) -> None:
        """Start one, without a process that would start it again."""
        self._start(
            name, "dask_worker", address, "--no-nanny", "--no-dashboard", "--nthreads", "1",
            "--name", name, "--death-timeout", "30", "--local-directory", str(self.folder),
        )  # fmt: skip

    def _start(self, name: str, module: str, *arguments: str) -> None:
        with (self.folder / f"{name}.log").open("wb") as log:
            self.running[name] = subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.{module}", *arguments],
                stdout=log, stderr=log, cwd=self.folder,
                env={**os.environ, **ONE, "PYTHONPATH": os.pathsep.join(filter(None, PATHS))},
            )  # fmt: skip

    def kill(self, name: str) -> None:
        """SIGKILL, and wait until it is gone."""
        process = self.running.pop(name, None)
        if process is not None:
            process.kill()
            process.wait()


@contextmanager
def machines(folder: Path):
    """Machines, all of which are gone at the end."""
    every = Machines(folder)
    try:
        yield every
    finally:
        for name in list(every.running):
            every.kill(name)
