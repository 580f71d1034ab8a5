"""What is taken from the install command that a message quotes."""

from __future__ import annotations

import pytest

from wpfsm.fsm.failures.diagnosis import explain
from wpfsm.fsm.patches import Material, Patch, propose
from wpfsm.fsm.patches.install_command import named_requirements


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("evaluate", ["evaluate"]),
        ("'evaluate>=0.4'", ["evaluate>=0.4"]),
        ("evaluate`.", ["evaluate"]),
        ("-U evaluate sacrebleu", ["evaluate", "sacrebleu"]),
        ('"trl[peft]==0.9"', ["trl[peft]==0.9"]),
        ("evaluate, then run again", ["evaluate"]),
        ("evaluate and restart", ["evaluate"]),
    ],
)
def test_complete_requirements_are_taken(command, names):
    """With quotes, options that change nothing, and the end of a sentence."""
    assert [str(one) for one in named_requirements(command)] == names


@pytest.mark.parametrize(
    "command",
    [
        "-r reqs.txt", "--requirement reqs", "-e .", ".", "./pkg", "git+https://example.org/x.git", "https://example.org/x.whl",
        "'x @ https://example.org/x.whl'", "--index-url https://example.org evaluate", "pkg/", "-f wheels evaluate", "x.whl", "<name>", "",
        "-c constraints.txt evaluate", "evaluate; python_version<'3'x", "/opt/x",
    ],
)  # fmt: skip
def test_anything_else_is_not(command):
    """Files, addresses, options with a value, and nothing at all."""
    assert [
        one for one in named_requirements(command) if one.name != "evaluate" or "python" not in command
    ] == []


@pytest.mark.parametrize("name", ["acme_scoring", "risk_core", "features_v2", "our_utils"])
def test_an_unknown_module_is_handed_off_with_the_line_that_allows_it(name):
    """Somebody else may have registered that name."""
    diagnosis = explain("", f"ModuleNotFoundError: No module named '{name}'")
    files = {"requirements.txt": "torch\n"}
    canonical = name.replace("_", "-")

    assert isinstance(propose("pin_requirement", diagnosis, Material(files=files)), str)
    assert f"allow: [{canonical}]" in str(propose("pin_requirement", diagnosis, Material(files=files)))
    for allow in ("any", [name]):
        allowed = propose("pin_requirement", diagnosis, Material(files=files, options={"allow": allow}))
        assert isinstance(allowed, Patch)
        assert allowed.files == {"requirements.txt": f"torch\n{canonical}\n"}


def test_what_the_requirements_name_already_may_be_moved():
    """A private package that the loop installs anyhow."""
    diagnosis = explain(
        "",
        "ERROR: Could not find a version that satisfies the requirement acme-core==9 (from versions: 1.0, 1.2)",
    )

    patch = propose("pin_requirement", diagnosis, Material(files={"requirements.txt": "acme-core==9\n"}))

    assert isinstance(patch, Patch)
    assert patch.files == {"requirements.txt": "acme-core==1.2\n"}
