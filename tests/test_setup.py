"""Set-up cannot rot: a lock resolves nothing, whatever the index publishes next."""

import base64
import hashlib
import os
import re
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from builders.paths import ROOT

LOCKED = ["alpha", "beta", "delta", "epsilon", "eta", "gamma", "iota", "kappa", "theta", "zeta"]
"""Ten wheels: alpha needs beta with its extra, that gamma; delta epsilon, that zeta."""

ASKS = {
    "alpha": ["beta[fast]>=1"], "beta": ["gamma>=1; extra == 'fast'"], "delta": ["epsilon>=1,<3"],
    "epsilon": ["zeta"],
}  # fmt: skip


def wheel(folder: Path, name: str, version: str, asks: list[str]) -> Path:
    """An empty wheel, as an index serves it."""
    info = f"{name}-{version}.dist-info"
    metadata = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}"]
    metadata += ["Provides-Extra: fast"] if any("extra ==" in ask for ask in asks) else []
    metadata += [f"Requires-Dist: {ask}" for ask in asks]
    files = {
        f"{name}.py": f"version = {version!r}\n",
        f"{info}/METADATA": "\n".join(metadata) + "\n",
        f"{info}/WHEEL": (
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        ),
    }
    record = [f"{path},sha256={_digest(text)},{len(text)}" for path, text in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,"]) + "\n"
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for inside, text in files.items():
            archive.writestr(inside, text)
    return path


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def lock_of(wheels: list[Path]) -> str:
    """A lock in the form that `scripts/lock` exports."""
    lines = []
    for path in wheels:
        name, version = path.name.split("-")[:2]
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        lines += [f"{name}=={version} \\", f"    --hash=sha256:{digest}", "    # via something"]
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that serves as the index: the locked versions, and newer ones of each."""
    folder = tmp_path_factory.mktemp("index")
    for name in LOCKED:
        wheel(folder, name, "1.0", ASKS.get(name, []))
        wheel(folder, name, "2.0", ASKS.get(name, []))
    return folder


def install(lock: Path, environment: Path, index: Path) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(index)}
    command = [ROOT / "scripts" / "install", environment, lock]
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    return folder


def versions(environment: Path) -> dict[str, str]:
    listing = subprocess.run(
        [environment / "bin" / "python", "-m", "pip", "list", "--format=freeze"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return dict(line.split("==") for line in listing.split())


def test_a_lock_installs_as_written_whatever_the_index_publishes_next(
    tmp_path: Path, index: Path, environment: Path
):
    lock = tmp_path / "requirements.lock"
    lock.write_text(lock_of([index / f"{name}-1.0-py3-none-any.whl" for name in LOCKED]))

    result = install(lock, environment, index)

    assert result.returncode == 0, result.stderr
    assert f"Installing 10 packages of {lock}" in result.stderr
    assert {name: versions(environment)[name] for name in LOCKED} == dict.fromkeys(LOCKED, "1.0")


def test_a_lock_that_leaves_out_what_its_packages_need_is_refused(
    tmp_path: Path, environment: Path
):
    lock = tmp_path / "requirements.lock"
    lock.write_text(lock_of([wheel(tmp_path, "alone", "1.0", ["absent"])]))

    result = install(lock, environment, tmp_path)

    assert result.returncode == 1
    assert "alone 1.0 requires absent" in result.stderr
    assert "make lock" in result.stderr


def test_a_download_that_fails_says_to_run_the_same_command_again(
    tmp_path: Path, index: Path, environment: Path
):
    lock = tmp_path / "requirements.lock"
    lock.write_text(lock_of([index / "alpha-1.0-py3-none-any.whl"]).replace("alpha", "omega"))

    result = install(lock, environment, index)

    assert result.returncode == 1
    assert "run the same command again" in result.stderr


def test_every_install_resolves_nothing():
    files = [ROOT / "Makefile", ROOT / ".ci" / "run", *(ROOT / "scripts").iterdir()]
    lines = [
        (path.relative_to(ROOT), line)
        for path in files
        if path.is_file()
        for line in path.read_text().splitlines()
        if re.search(r"\bpip\b.* install\b", line) and not line.lstrip().startswith("#")
    ]

    resolving = [(path, line) for path, line in lines if "--no-deps" not in line]

    assert len(lines) > 3
    assert resolving == []


def test_a_lock_is_installed_in_one_place_alone_and_by_its_hashes():
    files = [ROOT / "Makefile", ROOT / ".ci" / "run", *(ROOT / "scripts").iterdir()]
    texts = {path.name: path.read_text() for path in files if path.is_file()}

    assert [name for name, text in texts.items() if re.search(r"install .*-r ", text)] == [
        "install"
    ]
    assert "--no-deps --require-hashes -r" in texts["install"]
    assert sum("scripts/install " in text for text in (texts["Makefile"], texts["run"])) == 2


def test_make_demo_sets_up_the_run_time_lock_alone():
    plan = subprocess.run(
        ["make", "-n", "-W", "requirements.lock", "demo"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip

    assert "scripts/setup .venv requirements.lock" in plan
    assert "requirements-dev.lock" not in plan


def test_the_interpreter_of_these_tests_has_what_both_locks_say():
    locked = {}
    for name in ("requirements.lock", "requirements-dev.lock"):
        for line in (ROOT / name).read_text().splitlines():
            match = re.match(r"([a-z0-9-]+)==(\S+)(?: ; (.*?))? \\$", line)
            if match and not match[3]:
                locked[match[1]] = match[2]
    listing = subprocess.run(
        [sys.executable, "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    present = {
        name.lower().replace("_", "-"): version
        for name, version in (line.split("==") for line in listing.split())
    }

    assert {name: present.get(name) for name in locked} == locked
