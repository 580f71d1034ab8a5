"""From an imported name to what provides it, and never to a stranger's package."""

from __future__ import annotations

import sys

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from wpfsm.fsm.failures.distributions import (
    installed_version,
    is_known,
    requirement_for,
    table,
    well_known,
)


@pytest.mark.parametrize(
    ("module", "requirement"),
    [("cv2", "opencv-python-headless"), ("sklearn.svm", "scikit-learn"), ("some_lib.part", "some-lib")],
)
def test_a_module_is_provided_by_its_distribution(module: str, requirement: str) -> None:
    """By the table where the names differ, else by the distribution of the same name."""
    assert requirement_for(module) == requirement


@pytest.mark.parametrize("module", ["utils", "config", "apex", "os.path", "asyncore", ""])
def test_what_no_index_provides_is_not_asked_of_one(module: str) -> None:
    """Files of the user's own, names of other projects, and the standard library, also what newer Pythons lack."""
    assert requirement_for(module) is None


def test_no_module_of_the_standard_library_is_fetched() -> None:
    """Whoever registered such a name would be installed into the job."""
    assert [name for name in sys.stdlib_module_names if not is_known(name) and requirement_for(name)] == []


def test_every_row_of_the_table_can_be_installed_and_is_well_known() -> None:
    """What the table names is a requirement, and may be added unasked."""
    for requirement in filter(None, table().values()):
        assert canonicalize_name(Requirement(requirement).name) in well_known()


@pytest.mark.parametrize(
    ("line", "version"),
    [
        ("Successfully installed numpy-1.26.4 scikit-learn-1.5.0 torch-2.5.1+cu124", "1.5.0"),
        (" + scikit-learn==1.4.2", "1.4.2"),
        ("wpfsm: Using cached packages: scikit_learn-1.3.0", "1.3.0"),
        (
            "Requirement already satisfied: scikit-learn>=1 in /opt/conda/lib (from -r x (line 1)) (1.2.1)",
            "1.2.1",
        ),
        ("Successfully installed scikit-learn-extra-0.3.0", None),
        ("epoch 1", None),
    ],
)
def test_the_version_that_was_installed_is_read_from_the_log(line: str, version: str | None) -> None:
    """Whichever installer says it, by the name of the distribution or of the module."""
    assert installed_version("sklearn", line) == installed_version("scikit-learn", line) == version


def test_the_last_installation_counts() -> None:
    """A script that installs another version runs with that one."""
    log = "Successfully installed numpy-1.26.4\nSuccessfully installed numpy-2.0.0"

    assert installed_version("numpy.linalg", log) == "2.0.0"
