"""What is listed is read once, pinned, and never trusted by its name."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from builders.context import context
from builders.plugins import every, pin
from steelyard.errors import SettingsError
from steelyard.modules.plugins import NONE, load_plugins
from steelyard.settings import Plugins

NONE_PIN = "sha256:" + "0" * 64
MINE = '''
from steelyard import ModuleParams, opportunity_calculator

class Params(ModuleParams):
    """None."""

@opportunity_calculator("mine", version="1.0.0", params=Params)
def mine(ctx, params):
    """Nothing."""
    return []
'''


def only_problem(folder: Path, name: str, digest: str) -> str:
    loaded = load_plugins(Plugins(folder=str(folder), files={name: digest}), None)
    loaded.close()
    assert every(loaded) == []
    (problem,) = loaded.problems
    assert problem.code == "plugin_failed"
    return problem.message


PATHS = ("../mine.py", "a/mine.py", "a\\mine.py", "/mine.py", "..", ".py", "mine", "mine.pyc")
NAMES = (*PATHS, "mine.py\n", "mi ne.py", "")
DIGESTS = ("", "sha256:", "0" * 64, NONE_PIN[:-1], "sha256:" + "G" * 64, "md5:" + "0" * 64)


def test_a_name_with_a_path_or_no_python_file_and_a_digest_that_is_none_are_refused(tmp_path):
    cases = [({name: NONE_PIN}, "no file name") for name in NAMES]
    cases += [({"mine.py": digest}, "sha256sum") for digest in DIGESTS]
    passed = []
    for files, why in cases:
        try:
            passed.append((files, load_plugins(Plugins(folder=str(tmp_path), files=files), None)))
        except SettingsError as error:
            if "nothing was planned" not in str(error) or why not in str(error):
                passed.append((files, error))

    assert passed == []


def test_every_slip_of_the_list_is_told_at_once():
    with pytest.raises(SettingsError) as refused:
        load_plugins(Plugins(files={"a/b.py": "x"}, entry_points=("a b",)), None)

    assert all(
        part in str(refused.value) for part in ("'a/b.py'", "'x'", "'a b'", "plugins.folder")
    )


def test_a_relative_folder_is_beside_the_strategy_file(tmp_path):
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "mine.py").write_text(MINE)
    settings = Plugins(folder="plugins", files={"mine.py": pin(tmp_path / "plugins" / "mine.py")})

    loaded = load_plugins(settings, tmp_path)
    loaded.close()

    assert [module.qualified for module in every(loaded)] == ["opportunity_calculators.mine"]
    with pytest.raises(SettingsError, match="is relative to the strategy file"):
        load_plugins(settings, None)


def test_a_file_that_changed_does_not_run_and_both_digests_are_named(tmp_path):
    (tmp_path / "mine.py").write_text(MINE)
    before = pin(tmp_path / "mine.py")
    (tmp_path / "mine.py").write_text(MINE + f"\nopen({str(tmp_path / 'ran')!r}, 'w')\n")

    message = only_problem(tmp_path, "mine.py", before)

    assert before in message
    assert pin(tmp_path / "mine.py") in message
    assert not (tmp_path / "ran").exists()


def test_the_bytes_that_were_hashed_are_the_bytes_that_run(tmp_path):
    (tmp_path / "mine.py").write_text(MINE)
    loaded = load_plugins(
        Plugins(folder=str(tmp_path), files={"mine.py": pin(tmp_path / "mine.py")}), None
    )
    (module,) = every(loaded)
    loaded.close()
    (tmp_path / "mine.py").write_text("raise SystemExit")

    assert module.call(context("A"), module.params()) == []
    loaded.close()


def test_links_folders_pipes_and_large_files_are_not_read(tmp_path):
    real = tmp_path / "real.py"
    real.write_text(MINE)
    (tmp_path / "link.py").symlink_to(real)
    (tmp_path / "folder.py").mkdir()
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "large.py").write_bytes(b"#" * (1024 * 1024 + 1))

    messages = {
        name: only_problem(tmp_path, name, pin(real))
        for name in ("link.py", "folder.py", "pipe.py", "large.py", "absent.py")
    }

    assert "symbolic link" in messages["link.py"]
    assert "not a regular file" in messages["folder.py"]
    assert "not a regular file" in messages["pipe.py"]
    assert "at most 1,048,576" in messages["large.py"]
    assert "No such file" in messages["absent.py"]


@pytest.fixture
def package(tmp_path, monkeypatch):
    """An installed distribution with a plugin, and the folder that it is in."""
    site = tmp_path / "site"
    metadata = site / "mine_steelyard-2.1.dist-info"
    metadata.mkdir(parents=True)
    (site / "mine_steelyard.py").write_text(
        MINE + "\nimport sys\nassert 'pytest' not in sys.modules\n"
    )
    (metadata / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: mine-steelyard\nVersion: 2.1\n"
    )
    (metadata / "entry_points.txt").write_text("[steelyard.plugins]\nmine = mine_steelyard:mine\n")
    (metadata / "RECORD").write_text("mine_steelyard.py,,\n")
    monkeypatch.syspath_prepend(str(site))
    return site


def test_an_entry_point_is_loaded_by_name_in_the_worker_and_never_imported_here(package):
    loaded = load_plugins(Plugins(entry_points=("mine",)), None)
    loaded.close()

    assert loaded.problems == ()
    (module,) = every(loaded)
    assert module.source == "mine of mine-steelyard 2.1"
    assert "mine_steelyard" not in sys.modules


def test_the_digest_of_an_entry_point_is_that_of_its_version_and_its_file(package):
    digests = []
    for change in (lambda: None, lambda: (package / "mine_steelyard.py").write_text(MINE)):
        change()
        loaded = load_plugins(Plugins(entry_points=("mine",)), None)
        loaded.close()
        digests.append(every(loaded)[0].digest)

    assert digests[0] != digests[1]


def test_an_entry_point_that_is_not_installed_is_told_with_near_names(package):
    loaded = load_plugins(Plugins(entry_points=("mines",)), None)

    (problem,) = loaded.problems
    assert "Did you mean mine?" in problem.message


def test_one_plugin_that_cannot_be_read_does_not_keep_the_others_out(tmp_path):
    (tmp_path / "mine.py").write_text(MINE)
    files = {"absent.py": NONE_PIN, "mine.py": pin(tmp_path / "mine.py")}

    loaded = load_plugins(
        Plugins(folder=str(tmp_path), files=files, entry_points=("nobody",)), None
    )
    loaded.close()

    assert [module.name for module in every(loaded)] == ["mine"]
    assert len(loaded.problems) == 2


def test_without_a_listed_plugin_nothing_is_imported():
    assert load_plugins(Plugins(folder="anywhere"), None) is NONE
    code = (
        "import sys; from steelyard import strategies; strategies.default()\n"
        "print([name for name in sys.modules if name.startswith('steelyard.modules.plugins.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
