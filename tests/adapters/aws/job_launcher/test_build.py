"""Whether a failed installation is the requirements' fault or the machine's."""

from __future__ import annotations

import pytest

from wpfsm.adapters.aws.job_launcher.build import Failed, failure
from wpfsm.adapters.aws.job_launcher.digest import NotCached


@pytest.mark.parametrize(
    "told",
    [
        "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
        "ERROR: Could not install packages due to an OSError: [Errno 30] Read-only file system: '/opt/ml/x'",
        "ERROR: Could not install packages due to an OSError: [Errno 13] Permission denied: '/opt/ml/x'",
    ],
)
def test_a_machine_that_cannot_keep_packages_may_still_install_them(told: str) -> None:
    assert isinstance(failure(told), NotCached)


@pytest.mark.parametrize(
    "told",
    [
        (
            "ERROR: Could not find a version that satisfies the requirement spam==9\n"
            "ERROR: No matching distribution found for spam==9"
        ),
        (
            "ERROR: Cannot install a==1 and b==2 because these package versions have conflicting dependencies.\n"
            "ERROR: ResolutionImpossible: for help visit the documentation"
        ),
        "ERROR: Failed building wheel for spam",
    ],
)
def test_requirements_that_cannot_be_installed_are_not_tried_again(told: str) -> None:
    assert isinstance(failure(told), Failed)
