"""What a worker may not do, set by the worker itself before it runs a line of a plugin.

Limits of memory, written files, open files and processor time, where the system has them. On Linux,
on the two processors of `CALLS`, the kernel also refuses new processes, programs, network sockets,
signals, looks into other processes, limits and priorities of others, memory that outlives the
process, keys of the kernel, and every change to a file or folder, whoever the user is. Reading
files is not refused: docs/plugins.md says so.
"""

from __future__ import annotations

import ctypes
import errno
import os
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
    prlimit: int
    opening: Mapping[int, int]
    """Call that opens a file -> place of its flags."""
    refused: tuple[int, ...]


CALLS: Mapping[str, Machine] = MappingProxyType(
    {
        # in order: fork, vfork, execve, execveat, socket, connect, kill, tkill, tgkill,
        # rt_sigqueueinfo, rt_tgsigqueueinfo, ptrace, process_vm_readv, process_vm_writev,
        # pidfd_send_signal, pidfd_open, pidfd_getfd, io_uring_setup, bpf, unshare, setns, setsid,
        # setpgid setrlimit, setpriority, sched_setscheduler, sched_setparam, sched_setaffinity,
        # sched_setattr, ioprio_set, migrate_pages, process_madvise, process_mrelease, shmget,
        # semget, msgget, mq_open, add_key, request_key, keyctl truncate, fchmod, fchown, mount,
        # umount2, setxattr, lsetxattr, fsetxattr, mkdirat, mknodat, fchownat, unlinkat, renameat,
        # linkat, symlinkat, fchmodat, utimensat, renameat2, fchmodat2 creat, rename, mkdir, rmdir,
        # link, unlink, symlink, chmod, chown, lchown, mknod, utime, utimes, futimesat
        "x86_64": Machine(
            0xC000003E,
            56,
            435,
            302,
            MappingProxyType({2: 24, 257: 32}),
            (
                57,
                58,
                59,
                322,
                41,
                42,
                62,
                200,
                234,
                129,
                297,
                101,
                310,
                311,
                424,
                434,
                438,
                425,
                321,
                272,
                308,
                112,
                109,
                160,
                141,
                144,
                142,
                203,
                314,
                251,
                256,
                440,
                448,
                29,
                64,
                68,
                240,
                248,
                249,
                250,
                76,
                91,
                93,
                165,
                166,
                188,
                189,
                190,
                258,
                259,
                260,
                263,
                264,
                265,
                266,
                268,
                280,
                316,
                452,
                85,
                82,
                83,
                84,
                86,
                87,
                88,
                90,
                92,
                94,
                133,
                132,
                235,
                261,
            ),
        ),
        # the same without fork, vfork and the last row, which it does not have
        "aarch64": Machine(
            0xC00000B7,
            220,
            435,
            261,
            MappingProxyType({56: 32}),
            (
                221,
                281,
                198,
                203,
                129,
                130,
                131,
                138,
                240,
                117,
                270,
                271,
                424,
                434,
                438,
                425,
                280,
                97,
                268,
                157,
                154,
                164,
                140,
                119,
                118,
                122,
                274,
                30,
                238,
                440,
                448,
                194,
                190,
                186,
                180,
                217,
                218,
                219,
                45,
                52,
                55,
                40,
                39,
                5,
                6,
                7,
                34,
                33,
                54,
                35,
                38,
                37,
                36,
                53,
                88,
                276,
                452,
            ),
        ),
    }
)

# The kernel's names: linux/seccomp.h, linux/bpf_common.h, linux/prctl.h, linux/sched.h.
LOAD, EQUALS, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000, 0x80000000
AT_NUMBER, AT_ARCH, AT_FIRST, AT_SECOND, AT_THIRD = 0, 4, 16, 24, 32
OPENAT2 = 437
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
OTHER_INTERFACE = 0x40000000
CLONE_THREAD = 0x00010000
NO_NEW_PRIVILEGES, SET_SECCOMP, SECCOMP_FILTER = 38, 22, 2


def confine(megabytes: int) -> None:
    """Set every limit that lasts; memory counts from what the process has now."""
    pages = Path("/proc/self/statm")
    if pages.exists():  # elsewhere the limit is refused or means something else
        most = (
            int(pages.read_text(encoding="ascii").split()[0]) * resource.getpagesize()
            + megabytes * MEGABYTE
        )
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
    resource.setrlimit(
        resource.RLIMIT_CPU, (ceil(used.ru_utime + used.ru_stime + seconds) + 1, hard)
    )
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
    """The filter: kill what comes through another interface, refuse what is listed, allow the rest;
    of clones only threads.

    Files open for reading, limits change for its own processor time alone.
    """
    yield _step(LOAD, AT_ARCH)
    yield _step(EQUALS, machine.arch, over=1)
    yield _step(RETURN, KILL)
    yield _step(LOAD, AT_NUMBER)
    yield _step(AT_LEAST, OTHER_INTERFACE, otherwise=1)
    yield _step(RETURN, REFUSE | errno.EPERM)
    for number in machine.refused:
        yield _step(EQUALS, number, otherwise=1)
        yield _step(RETURN, REFUSE | errno.EPERM)
    for number, flags in machine.opening.items():
        yield _step(EQUALS, number, otherwise=4)
        yield _step(LOAD, flags)
        yield _step(ANY_BIT, WRITING, otherwise=1)
        yield _step(RETURN, REFUSE | errno.EPERM)
        yield _step(RETURN, ALLOW)
    yield from _own_time(machine)
    for number in (machine.clone3, OPENAT2):
        yield _step(EQUALS, number, otherwise=1)
        yield _step(
            RETURN, REFUSE | errno.ENOSYS
        )  # then the older call is used, whose flags can be read
    yield _step(EQUALS, machine.clone, otherwise=3)
    yield _step(LOAD, AT_FIRST)
    yield _step(ANY_BIT, CLONE_THREAD, over=1)
    yield _step(RETURN, REFUSE | errno.EPERM)
    yield _step(RETURN, ALLOW)


def _own_time(machine: Machine) -> Iterator[bytes]:
    """Limits may be read, whosever; of those to set only this process's processor time is
    allowed.
    """
    yield _step(EQUALS, machine.prlimit, otherwise=10)
    yield _step(
        LOAD, AT_THIRD
    )  # where the new limit is: nowhere when it is only read; a pointer has two halves
    yield _step(EQUALS, 0, otherwise=2)
    yield _step(LOAD, AT_THIRD + 4)
    yield _step(EQUALS, 0, over=4)
    yield _step(LOAD, AT_FIRST)  # whose limit
    yield _step(EQUALS, 0, otherwise=3)
    yield _step(LOAD, AT_SECOND)  # which one
    yield _step(EQUALS, resource.RLIMIT_CPU, otherwise=1)
    yield _step(RETURN, ALLOW)
    yield _step(RETURN, REFUSE | errno.EPERM)


def _step(code: int, value: int, over: int = 0, otherwise: int = 0) -> bytes:
    """One instruction: skip `over` next ones if the test holds, `otherwise` if not."""
    return struct.pack("HBBI", code, over, otherwise, value)
