"""What a worker may not do is really tried in one; what Python and numpy need still works."""

from __future__ import annotations

import os
import platform
import re
import struct
from pathlib import Path

import pytest

from builders.context import context
from builders.plugins import every, plugins
from steelyard.errors import ModuleError
from steelyard.modules.plugins import confine

TRIES = """
import ctypes, errno, fcntl, resource, threading

libc = ctypes.CDLL(None, use_errno=True)
planner = os.getppid()
here = os.open("/", os.O_RDONLY)
calls = CALLS

def call(name, *args):
    number = calls.get(name, name)
    if libc.syscall(number, *args) == -1:
        raise OSError(ctypes.get_errno(), name)

def spawned():
    os.posix_spawn("/bin/true", ["true"], {})

TRIES = {
    "write": lambda: open(PATH, "w"),
    "append": lambda: open(PATH, "a"),
    "create": lambda: open(PATH + ".new", "x"),
    "write through": lambda: open(PATH, "r+b"),
    "truncate while reading": lambda: os.open(PATH, os.O_RDONLY | os.O_TRUNC),
    "write without a name": lambda: os.open(os.path.dirname(PATH), os.O_TMPFILE | os.O_RDWR),
    "open by a newer call": lambda: call("openat2", -100, PATH.encode(), bytes(24), 24),
    "truncate": lambda: os.truncate(PATH, 0),
    "handle": lambda: call("name_to_handle_at", -100, PATH.encode(), bytes(136), bytes(8), 0),
    "open by handle": lambda: call("open_by_handle_at", here, bytes(136), os.O_WRONLY),
    "unlink": lambda: os.unlink(PATH),
    "rename": lambda: os.rename(PATH, PATH + ".new"),
    "link": lambda: os.link(PATH, PATH + ".new"),
    "symlink": lambda: os.symlink(PATH, PATH + ".new"),
    "mkdir": lambda: os.mkdir(PATH + ".new"),
    "rmdir": lambda: os.rmdir(PATH + ".folder"),
    "mkfifo": lambda: os.mkfifo(PATH + ".new"),
    "chmod": lambda: os.chmod(PATH, 0o777),
    "chown": lambda: os.chown(PATH, 1, 1),
    "utime": lambda: os.utime(PATH, (0, 0)),
    "setxattr": lambda: os.setxattr(PATH, "user.x", b"x"),
    "memory file": lambda: os.memfd_create("x"),
    "chroot": lambda: os.chroot("/"),
    "lock": lambda: fcntl.flock(here, fcntl.LOCK_SH),
    "lease": lambda: fcntl.fcntl(here, fcntl.F_SETLEASE, fcntl.F_RDLCK),
    "notify": lambda: fcntl.fcntl(here, fcntl.F_NOTIFY, fcntl.DN_ACCESS),
    "signals by a flag": lambda: fcntl.fcntl(0, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK),
    "owner": lambda: fcntl.fcntl(0, fcntl.F_SETOWN, planner),
    "owner by a record": lambda: fcntl.fcntl(0, 15, bytes(8)),
    "signal of a descriptor": lambda: fcntl.fcntl(0, fcntl.F_SETSIG, signal.SIGKILL),
    "owner by ioctl": lambda: fcntl.ioctl(0, 0x8901, planner.to_bytes(4, sys.byteorder)),
    "signals by ioctl": lambda: fcntl.ioctl(0, 0x5452, b"\\1\\0\\0\\0"),
    "typing": lambda: fcntl.ioctl(0, 0x5412, b"x"),
    "pasting": lambda: fcntl.ioctl(0, 0x541C, b"\\3"),
    "kill": lambda: os.kill(planner, 0),
    "kill the group": lambda: os.killpg(os.getpgid(planner), 0),
    "signal a thread": lambda: signal.pthread_kill(threading.get_ident(), 0),
    "open a process": lambda: os.pidfd_open(planner),
    "fork": os.fork,
    "exec": lambda: os.execv("/bin/true", ["true"]),
    "spawn": spawned,
    "run": lambda: subprocess.run(["true"]),
    "trace": lambda: call("ptrace", 16, planner, 0, 0),
    "read memory": lambda: call("process_vm_readv", planner, None, 0, None, 0, 0),
    "memory of the planner": lambda: open(f"/proc/{planner}/mem", "rb"),
    "write memory of the planner": lambda: open(f"/proc/{planner}/mem", "r+b"),
    "environment of the planner": lambda: open(f"/proc/{planner}/environ", "rb").read(),
    "descriptors of the planner": lambda: os.readlink(f"/proc/{planner}/fd/0"),
    "limit of the planner": lambda: resource.prlimit(planner, resource.RLIMIT_CORE, (0, 0)),
    "own limit": lambda: resource.setrlimit(resource.RLIMIT_AS, (-1, -1)),
    "priority": lambda: os.setpriority(os.PRIO_PROCESS, planner, 19),
    "affinity": lambda: os.sched_setaffinity(planner, {0}),
    "socket": lambda: socket.socket(),
    "local socket": lambda: socket.socket(socket.AF_UNIX),
    "datagrams": lambda: socket.socketpair(type=socket.SOCK_DGRAM),
    "shared memory": lambda: call("shmget", 0, 4096, 0o1600),
    "keys": lambda: call("keyctl", 0, -3, 0),
    "new privileges": lambda: call("prctl", 4, 1, 0, 0, 0),
    "capabilities": lambda: call("capset", None, None),
    "namespaces": lambda: call("unshare", 0x10000000),
    "rings": lambda: call("io_uring_setup", 1, None),
    "another interface": lambda: call(0x40000000 + 39),
}

@opportunity_calculator("hostile", version="1.0.0", params=Params)
def hostile(ctx, params):
    through = []
    for name, attempt in TRIES.items():
        try:
            attempt()
        except ValueError as error:
            if "not allowed to raise" not in str(error): through.append((name, error))
        except OSError as error:
            due = errno.ENOSYS if name == "open by a newer call" else errno.EPERM
            if error.errno not in {due, errno.EACCES}: through.append((name, error))
        else:
            through.append(name)
    raise RuntimeError(through)
"""
NUMBERS = {
    "x86_64": {
        "ptrace": 101, "process_vm_readv": 310, "name_to_handle_at": 303, "open_by_handle_at": 304,
        "shmget": 29, "keyctl": 250, "prctl": 157, "capset": 126, "unshare": 272,
        "io_uring_setup": 425, "openat2": 437,
    },
    "aarch64": {
        "ptrace": 117, "process_vm_readv": 270, "name_to_handle_at": 264, "open_by_handle_at": 265,
        "shmget": 194, "keyctl": 219, "prctl": 167, "capset": 91, "unshare": 97,
        "io_uring_setup": 425, "openat2": 437,
    },
}  # fmt: skip


def test_every_call_that_could_harm_is_refused_and_the_file_is_as_it_was(tmp_path):
    path = tmp_path / "mine"
    path.write_text("mine")
    (tmp_path / "mine.folder").mkdir()
    before = path.stat()
    text = f"PATH = {str(path)!r}\n" + TRIES.replace("CALLS", str(NUMBERS[platform.machine()]))
    with plugins(tmp_path, {"plugin.py": text}) as loaded:
        (module,) = every(loaded)
        with pytest.raises(ModuleError) as refused:
            module.call(context("A"), module.params())

    assert str(refused.value).startswith("RuntimeError: [] (")
    assert path.read_text() == "mine"
    assert (path.stat().st_mtime_ns, path.stat().st_mode) == (before.st_mtime_ns, before.st_mode)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["mine", "mine.folder", "plugin.py"]


def test_what_python_and_numpy_need_works(tmp_path):
    text = """
    @opportunity_calculator("useful", version="1.0.0", params=Params)
    def useful(ctx, params):
        import asyncio, datetime, importlib, json, pathlib, threading, zoneinfo
        from concurrent.futures import ThreadPoolExecutor
        for name in ("sqlite3", "xml.dom.minidom", "numpy.fft", "csv"):
            importlib.import_module(name)
        square = np.random.default_rng(1).normal(size=(300, 300))
        np.linalg.svd(square); np.linalg.eigh(square @ square.T); (square @ square).sum()
        with ThreadPoolExecutor(2) as pool:
            assert list(pool.map(abs, [-1, 2])) == [1, 2]
        async def later():
            await asyncio.sleep(0.01)
            return await asyncio.to_thread(lambda: 3)
        assert asyncio.run(later()) == 3
        time.sleep(0.01)
        datetime.datetime.now(zoneinfo.ZoneInfo("UTC"))
        assert pathlib.Path("/").is_dir() and os.listdir("/") and os.cpu_count() and os.getpid()
        assert json.loads("[1]") == [1] and open("/dev/null").read() == ""
        np.zeros((2000, 2000)).sum()
        return []
    """
    with plugins(tmp_path, {"plugin.py": text}) as loaded:
        (module,) = every(loaded)

        assert module.call(context("A"), module.params()) == []


def test_the_memory_of_the_planner_is_shut_while_a_worker_lives_and_open_again_afterwards(tmp_path):
    text = """
    @opportunity_calculator("idle", version="1.0.0", params=Params)
    def idle(ctx, params):
        return []
    """
    before = confine.dumpable()
    with plugins(tmp_path, {"plugin.py": text}), plugins(tmp_path, {"other.py": text}) as second:
        assert not confine.dumpable()
        second.close()
        assert not confine.dumpable()

    assert before
    assert confine.dumpable()


def verdict(program: bytes, arch: int, number: int, *args: int) -> int:
    """What a program of classic BPF returns for a call: an interpreter of its four instructions."""
    facts = struct.pack("<iIQ6Q", number, arch, 0, *args, *[0] * (6 - len(args)))
    steps = [struct.unpack_from("HBBI", program, at) for at in range(0, len(program), 8)]
    at, loaded = 0, 0
    while True:
        code, over, otherwise, value = steps[at]
        at += 1
        if code == confine.RETURN:
            return value
        if code == confine.LOAD:
            (loaded,) = struct.unpack_from("<I", facts, value)
        else:
            good = loaded == value if code == confine.EQUALS else bool(loaded & value)
            at += over if good else otherwise


@pytest.mark.parametrize("machine", confine.ARCHES)
def test_the_program_allows_what_is_listed_with_harmless_arguments_alone(machine):
    program = b"".join(confine._program(machine))
    number, (_, arch) = confine.numbers(machine), confine.ARCHES[machine]
    narrowed = confine._narrowed()
    allow, refuse = confine.ALLOW, confine.REFUSE
    due = {
        **{(name, ()): allow for name in number if name not in narrowed},
        ("openat", (0, 0, os.O_RDONLY)): allow, ("openat", (0, 0, os.O_WRONLY)): refuse,
        ("openat", (0, 0, os.O_RDWR)): refuse, ("openat", (0, 0, os.O_CREAT)): refuse,
        ("openat", (0, 0, os.O_TRUNC)): refuse, ("open", (0, os.O_RDONLY)): allow,
        ("open", (0, os.O_TRUNC)): refuse,
        **{("fcntl", (0, command)): allow for command in (0, 1, 2, 3, 4, 1030)},
        **{("fcntl", (0, command)): refuse for command in (5, 6, 8, 10, 15, 1024, 1026, 1031)},
        **{("fcntl", (0, command + (1 << 32))): refuse for command in (8, 10)},
        **{("ioctl", (0, command)): allow for command in (0x5401, 0x5421, 0x5451)},
        **{("ioctl", (0, command)): refuse for command in (0x5412, 0x541C, 0x5452, 0x8901)},
        ("socketpair", (1, 0x80001)): allow, ("socketpair", (1, 0x80002)): refuse,
        ("socketpair", (2, 0x80001)): refuse, ("clone", (0x3D0F00,)): allow,
        ("clone", (17,)): refuse, ("prlimit64", (99, 4, 0)): allow, ("prlimit64", (0, 0, 1)): allow,
        ("prlimit64", (0, 0, 1 << 40)): allow, ("prlimit64", (0, 9, 1)): refuse,
        ("prlimit64", (99, 0, 1)): refuse, ("prlimit64", (99, 4, 1 << 40)): refuse,
        ("clone3", ()): confine.ABSENT, ("openat2", ()): confine.ABSENT,
    }  # fmt: skip
    wrong = {
        (name, args): answer
        for (name, args), answer in due.items()
        if name in number and verdict(program, arch, number[name], *args) != answer
    }
    others = set(range(600)) - set(number.values())

    assert wrong == {}
    assert {verdict(program, arch, other) for other in others} == {refuse}
    assert verdict(program, arch, 0x40000000 + number["getpid"]) == refuse
    assert verdict(program, 0x40000003, number["getpid"]) == confine.KILL


def test_the_numbers_are_those_of_the_headers_of_this_machine():
    include = Path("/usr/include")
    tables = {
        "x86_64": sorted(include.glob("*/asm/unistd_64.h")),
        "aarch64": sorted(include.glob("asm-generic/unistd.h")),
    }
    wrong = []
    for machine, files in tables.items():
        for file in files:
            text = file.read_text(encoding="utf-8")
            of_headers = dict(re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", text))
            of_headers.setdefault("newfstatat", of_headers.get("fstatat", ""))
            wrong += [
                (file, name, number)
                for name, number in confine.numbers(machine).items()
                if name in of_headers and int(of_headers[name]) != number
            ]

    assert wrong == []
    assert set(confine.numbers("aarch64")) < set(confine.numbers("x86_64"))
