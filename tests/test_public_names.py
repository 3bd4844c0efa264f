"""What `steelyard` itself offers is what it lists, and costs nothing until it is asked for."""

import subprocess
import sys

import pytest

import steelyard


def test_what_is_listed_can_be_imported_and_is_what_its_file_has():
    assert steelyard.__all__ == sorted(
        steelyard.__all__, key=lambda name: (not name.isupper(), name[0].islower(), name)
    )
    for name in steelyard.__all__:
        found = getattr(steelyard, name)
        assert getattr(found, "__module__", "steelyard.modules.context").startswith("steelyard.")
    assert dir(steelyard) == sorted(steelyard.__all__)


def test_another_name_is_an_error_that_says_so():
    with pytest.raises(AttributeError, match="no attribute 'plans_of_others'"):
        steelyard.plans_of_others  # noqa: B018


def test_importing_the_package_imports_nothing_else():
    code = (
        "import sys, steelyard; print([name for name in sys.modules if "
        "name.startswith('steelyard.') or name == 'numpy'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
