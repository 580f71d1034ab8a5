"""Requirements that are wrong in three ways, each hidden by the one before it."""

from __future__ import annotations

import runpy

from failing_loops import EXAMPLES, Project, assert_released

TRAIN = """\
import chartkit
import framekit
from numkit import total

print(f"eval_loss={total(framekit.ROWS):.1f}")
"""
REQUIREMENTS = "framekit==2.0\ntablekit==1.0\nnumkit\n"


def test_a_cascade_of_dependencies_ends_green_without_a_person(project: Project) -> None:
    """A conflict, a missing module, a missing name: one pin a job, each a diff, and the user's file as it was."""
    index = project.folder / "index"
    runpy.run_path(str(EXAMPLES / "fix" / "build_wheels.py"))["build_all"](index)
    project.write(
        {"train.py": TRAIN, "requirements.txt": REQUIREMENTS},
        job={"environment": {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(index)}},
        on_failure=[{"when": "missing_module", "do": "pin_requirement", "allow": ["chartkit"]}],
    )
    ran = project.start()
    assert ran.code == 0, ran.said
    assert ran.classes == ["resolver_conflict", "missing_module", "import_name", None]
    assert ran.starts == ["cold", "warm", "warm", "warm"]
    added = ["+tablekit>=2", "+chartkit", "+numkit<2"]
    assert len(ran.patches) == len(added)
    for number, line in enumerate(added, start=1):
        assert line in ran.jobs[number - 1]["patch"]["diff"]
        assert line in project.inspect(ran.loop, "--job", str(number + 1)).document["diff"]
    assert (project.source / "requirements.txt").read_text() == REQUIREMENTS
    whole = project.wpfsm("diff", ran.loop).document["diff"]
    assert all(line in whole for line in added)
    assert_released(project, ran)
