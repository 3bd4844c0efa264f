"""What a worker may not do, set by the worker itself before it runs a line of a plugin.

Limits of memory, written files, open files and processor time, where the system has them. On Linux, on the two
processors of `CALLS`, the kernel also refuses new processes, programs, network sockets, signals and looks into other
processes, whoever the user is. Reading files is not refused, nor is deleting them: docs/plugins.md says so.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import resource
import signal
import struct
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from types import MappingProxyType

MEGABYTE = 1024 * 1024
OPEN_FILES = 64
GRACE_SECONDS = 5.0
"""After its deadline a call that the planner did not end ends itself: then the planner is gone."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Numbers of system calls; `arch` is the kernel's name of the processor."""

    arch: int
    clone: int
    clone3: int
    refused: tuple[int, ...]


CALLS: Mapping[str, Machine] = MappingProxyType(
    {
        # in order: fork, vfork, execve, execveat, socket, connect, kill, tkill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo,
        # ptrace, process_vm_readv, process_vm_writev, pidfd_send_signal, pidfd_open, pidfd_getfd, io_uring_setup, bpf,
        # unshare, setns, setsid, setpgid
        "x86_64": Machine(
            0xC000003E,
            56,
            435,
            (57, 58, 59, 322, 41, 42, 62, 200, 234, 129, 297, 101, 310, 311, 424, 434, 438, 425, 321, 272, 308, 112, 109),
        ),
        # the same without fork and vfork, which it does not have
        "aarch64": Machine(
            0xC00000B7, 220, 435, (221, 281, 198, 203, 129, 130, 131, 138, 240, 117, 270, 271, 424, 434, 438, 425, 280, 97, 268, 157, 154)
        ),
    }
)

# The kernel's names: linux/seccomp.h, linux/bpf_common.h, linux/prctl.h, linux/sched.h.
LOAD, EQUALS, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000, 0x80000000
AT_NUMBER, AT_ARCH, AT_FLAGS = 0, 4, 16
OTHER_INTERFACE = 0x40000000
CLONE_THREAD = 0x00010000
NO_NEW_PRIVILEGES, SET_SECCOMP, SECCOMP_FILTER = 38, 22, 2


def confine(megabytes: int) -> None:
    """Set every limit that lasts; memory counts from what the process has now."""
    pages = Path("/proc/self/statm")
    if pages.exists():  # elsewhere the limit is refused or means something else
        most = int(pages.read_text(encoding="ascii").split()[0]) * resource.getpagesize() + megabytes * MEGABYTE
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    machine = CALLS.get(platform.machine())
    if sys.platform == "linux" and machine is not None and sys.maxsize > 2**32:
        _refuse(machine)


def begin(seconds: float) -> None:
    """Give one call its processor time, and an end that needs no planner."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (ceil(used.ru_utime + used.ru_stime + seconds) + 1, hard))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds + GRACE_SECONDS)


def end() -> None:
    """The call is over: waiting for the next one takes as long as it takes."""
    signal.setitimer(signal.ITIMER_REAL, 0)


def _refuse(machine: Machine) -> None:
    """Hand the kernel the list; a kernel that does not know how leaves the limits above."""
    program = b"".join(_program(machine))
    code = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0:
        libc.prctl(SET_SECCOMP, SECCOMP_FILTER, ctypes.create_string_buffer(head, len(head)), 0, 0)


def _program(machine: Machine) -> Iterator[bytes]:
    """The filter: kill what comes through another interface, refuse what is listed, allow the rest; of clones only threads."""
    yield _step(LOAD, AT_ARCH)
    yield _step(EQUALS, machine.arch, over=1)
    yield _step(RETURN, KILL)
    yield _step(LOAD, AT_NUMBER)
    yield _step(AT_LEAST, OTHER_INTERFACE, otherwise=1)
    yield _step(RETURN, REFUSE | errno.EPERM)
    for number in machine.refused:
        yield _step(EQUALS, number, otherwise=1)
        yield _step(RETURN, REFUSE | errno.EPERM)
    yield _step(EQUALS, machine.clone3, otherwise=1)
    yield _step(RETURN, REFUSE | errno.ENOSYS)  # then the C library asks for clone, whose flags can be read
    yield _step(EQUALS, machine.clone, otherwise=3)
    yield _step(LOAD, AT_FLAGS)
    yield _step(ANY_BIT, CLONE_THREAD, over=1)
    yield _step(RETURN, REFUSE | errno.EPERM)
    yield _step(RETURN, ALLOW)


def _step(code: int, value: int, over: int = 0, otherwise: int = 0) -> bytes:
    """One instruction: skip `over` next ones if the test holds, `otherwise` if not."""
    return struct.pack("HBBI", code, over, otherwise, value)
