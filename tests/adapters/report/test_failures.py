"""What failed and why, as markup in which a log stays text."""

from __future__ import annotations

from wpfsm.adapters.report.failures import MOST_DIFF_LINES, diff


def test_each_kind_of_line_has_its_class() -> None:
    """Files, hunks, what was added and what was taken away."""
    shown = str(diff("--- a/t.py\n+++ b/t.py\n@@ -1 +1 @@\n-old\n+new\n same"))
    for line, kind in (
        ("--- a/t.py", "file"),
        ("+++ b/t.py", "file"),
        ("@@ -1 +1 @@", "hunk"),
        ("-old", "del"),
        ("+new", "add"),
    ):
        assert f'<span class="{kind}">{line}\n</span>' in shown


def test_what_a_diff_contains_is_text_and_its_secrets_are_masked() -> None:
    """A patch is an agent's or a job's words."""
    shown = str(diff("+<script>alert(1)</script>\n+key = AKIAIOSFODNN7EXAMPLE"))
    assert "<script" not in shown
    assert "AKIAIOSFODNN7EXAMPLE" not in shown


def test_a_long_diff_ends_with_how_much_is_left() -> None:
    """A page is to be read; the whole diff is in `wpfsm diff`."""
    shown = str(diff("\n".join(f"+{n}" for n in range(MOST_DIFF_LINES + 7))))
    assert shown.count("<span") == MOST_DIFF_LINES
    assert "… 7 more lines" in shown
