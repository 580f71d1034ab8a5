"""Which pins might cure a dependency failure, the likeliest first."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wpfsm.fsm.failures.diagnosis import explain
from wpfsm.fsm.failures.taxonomy import TAXONOMY
from wpfsm.fsm.patches.candidates import candidates

MISSING = explain("", "ModuleNotFoundError: No module named 'cv2'")
NOTHING_FITS = (
    "ERROR: Could not find a version that satisfies the requirement tqdm==9.9 (from versions: 4.1, 4.66.5)\n"
    "ERROR: No matching distribution found for tqdm==9.9"
)


def pins(log: str, text: str = "") -> list[str]:
    """What is suggested for a log, as it would be written."""
    return [str(one.requirement) for one in candidates(explain("", log), text)]


@pytest.mark.parametrize(
    ("log", "text", "first"),
    [
        ("ModuleNotFoundError: No module named 'cv2'", "", "opencv-python-headless"),
        ("AttributeError: module 'numpy' has no attribute 'bool'", "numpy\n", "numpy<1.24"),
        (
            NOTHING_FITS,
            "tqdm==9.9\n",
            "tqdm==4.66.5",
        ),
    ],
)
def test_the_likeliest_pin_comes_first(log: str, text: str, first: str) -> None:
    """What provides the module, the version before the break, the nearest that the index has."""
    assert pins(log, text)[0] == first


def test_what_is_required_already_is_not_the_cure() -> None:
    """A module whose distribution stands in the file is missing for another reason."""
    assert pins("ModuleNotFoundError: No module named 'cv2'", "opencv-python-headless\n") == []


def test_a_failure_that_no_pin_cures_has_no_candidates() -> None:
    """Only the classes of dependencies have a source of pins."""
    for row in TAXONOMY:
        if row.family != "dependency":
            assert list(candidates(replace(MISSING, class_=row.name), "")) == []


messages = st.sampled_from(
    ["requirement", "module", "name", "distribution", "versions", "installed", "install", "dependent"]
)
words = st.text(alphabet="abz.-_<>=!~, 0129[];", max_size=20)
dependency = st.sampled_from([row.name for row in TAXONOMY if row.family == "dependency"])


@given(dependency, st.dictionaries(messages, words), words)
def test_whatever_a_message_names_a_candidate_can_be_written_down(
    class_: str, details: dict[str, str], text: str
) -> None:
    """No text of an installer is an error, and nothing is installed from an address."""
    for one in candidates(replace(MISSING, class_=class_, details=details, evidence=(text,)), text):
        assert one.requirement.name
        assert one.requirement.url is None
        assert one.why
