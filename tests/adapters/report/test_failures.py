"""What failed and why, as markup in which a log stays text."""

from __future__ import annotations

from pathlib import Path

from report_loops import Made
from report_page import facts_of

from wpfsm.adapters.report import render
from wpfsm.adapters.report.failures import MOST_DIFF_LINES, diff, failures
from wpfsm.fsm.records import JobPatch


def test_each_kind_of_line_is_told_from_the_others() -> None:
    """Files, hunks, what was added and what was taken away."""
    lines = diff("--- a/t.py\n+++ b/t.py\n@@ -1 +1 @@\n-old\n+new\n same")
    assert [line.kind for line in lines] == ["file", "file", "hunk", "del", "add", ""]


def test_what_a_diff_contains_is_text_and_its_secrets_are_masked(tmp_path: Path) -> None:
    """A patch is an agent's or a job's words."""
    patch = JobPatch("edit", "x", "k", diff="+<script>alert(1)</script>\n+key = AKIAIOSFODNN7EXAMPLE")
    page = render(facts_of(tmp_path, [Made({}, failed="script_error", patch=patch)]))
    assert '<span class="add">+&lt;script&gt;alert(1)&lt;/script&gt;\n</span>' in page
    assert "AKIAIOSFODNN7EXAMPLE" not in page


def test_a_long_diff_ends_with_how_much_is_left(tmp_path: Path) -> None:
    """A page is to be read; the whole diff is in `wpfsm diff`."""
    patch = JobPatch("edit", "x", "k", diff="\n".join(f"+{n}" for n in range(MOST_DIFF_LINES + 7)))
    facts = facts_of(tmp_path, [Made({}, failed="script_error", patch=patch)])
    (shown,) = failures(facts)
    assert (len(shown.diff), shown.left) == (MOST_DIFF_LINES, 7)
    assert "… 7 more lines" in render(facts)
