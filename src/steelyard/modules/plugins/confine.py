"""What a worker may do, set by the worker itself before it runs a line of a plugin.

Limits of memory, written and open files and processor time, where the system has them. On Linux it
gives up rights of the super user, and on x86-64 and ARM64 the kernel allows the calls of `CALLS`
alone, some only with harmless arguments, and refuses every other one, whoever the user is. Reading
files is allowed: docs/plugins.md says so.

Who wants to check the list reads `CALLS`, `COMMANDS` and `_narrowed`; the rest is how the kernel
takes it: a program of classic BPF, linux/seccomp.h and linux/bpf_common.h.
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
from math import ceil
from pathlib import Path
from types import MappingProxyType

MEGABYTE = 1024 * 1024
OPEN_FILES = 64
GRACE_SECONDS = 5.0
"""After its deadline a call that the planner did not end ends itself: then the planner is gone."""

CALLS = """
read:0:63 readv:19:65 pread64:17:67 write:1:64 writev:20:66 close:3:57 lseek:8:62 stat:4:-
lstat:6:- fstat:5:80 newfstatat:262:79 statx:332:291 access:21:- faccessat:269:48
faccessat2:439:439 readlink:89:- readlinkat:267:78 getdents64:217:61 getcwd:79:17 fstatfs:138:44
statfs:137:43 dup:32:23 dup2:33:- dup3:292:24 close_range:436:436

poll:7:- ppoll:271:73 select:23:- pselect6:270:72 epoll_create1:291:20 epoll_ctl:233:21
epoll_wait:232:- epoll_pwait:281:22 sendto:44:206 recvfrom:45:207 getsockname:51:204

mmap:9:222 munmap:11:215 mremap:25:216 mprotect:10:226 madvise:28:233 brk:12:214
get_mempolicy:239:236

futex:202:98 set_robust_list:273:99 get_robust_list:274:100 rseq:334:293 set_tid_address:218:96
gettid:186:178 sched_yield:24:124 sched_getaffinity:204:123 getcpu:309:168 membarrier:324:283
exit:60:93 exit_group:231:94 restart_syscall:219:128

rt_sigaction:13:134 rt_sigprocmask:14:135 rt_sigreturn:15:139 sigaltstack:131:132
setitimer:38:103 getitimer:36:102

getpid:39:172 getppid:110:173 getuid:102:174 geteuid:107:175 getgid:104:176 getegid:108:177
getrandom:318:278 getrusage:98:165 uname:63:160 sysinfo:99:179 times:100:153 time:201:-
gettimeofday:96:169 clock_gettime:228:113 clock_getres:229:114 clock_nanosleep:230:115
nanosleep:35:101

open:2:- openat:257:56 fcntl:72:25 ioctl:16:29 socketpair:53:199 prlimit64:302:261 clone:56:220
clone3:435:435 openat2:437:437
"""
"""name:number on x86-64:number on ARM64, `-` where the processor has none.

From Linux 6.1, asm/unistd_64.h and asm-generic/unistd.h; a test compares them with the headers of
the machine, and another runs every example and numpy's own threads under them. Those of the last
paragraph are allowed with some arguments alone. By paragraph: files and channels, waiting, memory,
threads of its own, signals to itself, what time it is and who one is.
"""

COMMANDS: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {
        # F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_DUPFD_CLOEXEC: no owners, signals, locks; and
        # F_SETFL, but for O_ASYNC, by which a terminal signals whoever sits in front of it
        "fcntl": (0, 1, 2, 3, 1030),
        # TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX: questions and own descriptors
        "ioctl": (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451),
    }
)
"""Second argument of a call -> allowed values, the same on both processors."""

ARCHES = MappingProxyType({"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)})
"""Processor -> its column in `CALLS`, and the kernel's number of it."""

LOAD, EQUALS, ANY_BIT, RETURN = 0x20, 0x15, 0x45, 0x06
ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x80000000
ABSENT = 0x00050000 | errno.ENOSYS
"""Says that the kernel is too old: then the older call is used, whose flags can be read."""
AT_NUMBER, AT_ARCH = 0, 4
FIRST, SECOND, THIRD = 16, 24, 32
"""Where the low half of an argument is."""
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
SET_FLAGS = 4
CLONE_THREAD = 0x00010000
AF_UNIX, STREAM = 1, 0x80001
"""A pair that only knows itself, closed in programs: what a loop of asyncio wakes itself with."""
SET_DUMPABLE, GET_DUMPABLE, SET_SECCOMP, NO_NEW_PRIVILEGES = 4, 3, 22, 38
SECCOMP_FILTER, CAPABILITY_VERSION = 2, 0x20080522


def confine(megabytes: int) -> None:
    """Set every limit that lasts; memory counts from what the process has now."""
    pages = Path("/proc/self/statm")
    if pages.exists():  # elsewhere the limit is refused or means something else
        used = int(pages.read_text(encoding="ascii").split()[0]) * resource.getpagesize()
        most = used + megabytes * MEGABYTE
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    if sys.platform == "linux":
        dumpable(False)
        _refuse()


def dumpable(answer: bool | None = None) -> bool:
    """May the user's other processes look into the memory of this one? Sets it, says how it was."""
    if sys.platform != "linux":
        return True
    libc = ctypes.CDLL(None)
    before = bool(libc.prctl(GET_DUMPABLE, 0, 0, 0, 0) == 1)
    if answer is not None:
        libc.prctl(SET_DUMPABLE, int(answer), 0, 0, 0)
    return before


def begin(seconds: float) -> None:
    """Give one call its processor time, and an end that needs no planner."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    most = ceil(used.ru_utime + used.ru_stime + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (most, resource.getrlimit(resource.RLIMIT_CPU)[1]))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds + GRACE_SECONDS)


def end() -> None:
    """The call is over: waiting for the next one takes as long as it takes."""
    signal.setitimer(signal.ITIMER_REAL, 0)


def numbers(machine: str) -> dict[str, int]:
    """Call -> number of it on a processor of `ARCHES`."""
    column, _ = ARCHES[machine]
    rows = (entry.split(":") for entry in CALLS.split())
    return {name: int(row[column]) for name, *row in rows if row[column] != "-"}


def _refuse() -> None:
    """Give up rights and hand the kernel the list; a kernel without it leaves the limits above."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.capset(struct.pack("II", CAPABILITY_VERSION, 0), bytes(24))
    machine = platform.machine()
    if machine not in ARCHES or sys.maxsize < 2**32:
        return
    program = b"".join(_program(machine))
    code = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    if libc.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0:
        libc.prctl(SET_SECCOMP, SECCOMP_FILTER, ctypes.create_string_buffer(head, len(head)), 0, 0)


def _program(machine: str) -> Iterator[bytes]:
    """Kill what comes through another interface, allow what is listed, refuse the rest."""
    yield _step(LOAD, AT_ARCH)
    yield _step(EQUALS, ARCHES[machine][1], over=1)
    yield _step(RETURN, KILL)
    yield _step(LOAD, AT_NUMBER)
    narrowed = _narrowed()
    for name, number in numbers(machine).items():
        steps = narrowed.get(name, [_step(RETURN, ALLOW)])
        yield _step(EQUALS, number, otherwise=len(steps))
        yield from steps  # they end with a return: the number is still loaded for the next one
    yield _step(RETURN, REFUSE)


def _narrowed() -> dict[str, list[bytes]]:
    """Call -> what is asked of its arguments."""
    allowed, pair = _step(RETURN, ALLOW), _unless(FIRST, EQUALS, AF_UNIX)
    return {
        "open": _reading(SECOND),
        "openat": _reading(THIRD),
        "socketpair": [*pair, *_unless(SECOND, EQUALS, STREAM), allowed],
        "clone": [*_unless(FIRST, ANY_BIT, CLONE_THREAD), allowed],
        "prlimit64": _own_time(),
        **{name: _one_of(values) for name, values in COMMANDS.items()},
        "fcntl": [*_flags_without_signals(), *_one_of(COMMANDS["fcntl"])],
        **{name: [_step(RETURN, ABSENT)] for name in ("clone3", "openat2")},
    }


def _unless(place: int, test: int, value: int) -> list[bytes]:
    """Refuse where an argument does not pass a test."""
    return [_step(LOAD, place), _step(test, value, over=1), _step(RETURN, REFUSE)]


def _reading(flags: int) -> list[bytes]:
    """Files open for reading alone."""
    refused, allowed = _step(RETURN, REFUSE), _step(RETURN, ALLOW)
    return [_step(LOAD, flags), _step(ANY_BIT, WRITING, otherwise=1), refused, allowed]


def _flags_without_signals() -> list[bytes]:
    """Flags of an open file may be set, O_ASYNC among them not; other commands go on."""
    return [
        _step(LOAD, SECOND),
        _step(EQUALS, SET_FLAGS, otherwise=4),
        _step(LOAD, THIRD),
        _step(ANY_BIT, os.O_ASYNC, otherwise=1),
        _step(RETURN, REFUSE),
        _step(RETURN, ALLOW),
    ]


def _one_of(values: tuple[int, ...]) -> list[bytes]:
    """The second argument is one of these; the kernel looks at its low half alone."""
    last = len(values)
    tests = [_step(EQUALS, value, over=last - k) for k, value in enumerate(values)]
    return [_step(LOAD, SECOND), *tests, _step(RETURN, REFUSE), _step(RETURN, ALLOW)]


def _own_time() -> list[bytes]:
    """Limits may be read, whosever; of those to set only this process's processor time."""
    return [
        _step(LOAD, THIRD),  # where the new limit is: nowhere when it is only read
        _step(EQUALS, 0, otherwise=2),
        _step(LOAD, THIRD + 4),  # a pointer has two halves
        _step(EQUALS, 0, over=4),
        _step(LOAD, FIRST),  # whose limit
        _step(EQUALS, 0, otherwise=3),
        _step(LOAD, SECOND),  # which one
        _step(EQUALS, resource.RLIMIT_CPU, otherwise=1),
        _step(RETURN, ALLOW),
        _step(RETURN, REFUSE),
    ]


def _step(code: int, value: int, over: int = 0, otherwise: int = 0) -> bytes:
    """One instruction: skip `over` next ones if the test holds, `otherwise` if not."""
    return struct.pack("HBBI", code, over, otherwise, value)
