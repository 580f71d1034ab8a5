"""``diff``: what a loop patched, as a diff and applied to the user's files."""

from __future__ import annotations

import pytest
from cli_bench import Bench

LOOP = """\
version: 1
name: patched
pool: {instance_type: ml.m5.large, role: arn:aws:iam::123456789012:role/patched}
job: {source: src, entry: train.py, max_runtime: 5m}
strategy: {type: fix}
on_failure: [{when: any, do: command, command: [./mend.sh]}]
"""


@pytest.mark.sdk
def test_diff_shows_and_applies_what_the_loop_patched(bench: Bench):
    """A unified diff that `patch -p1` takes; --apply writes it, once, and never over what the user wrote since."""
    source = bench.folder / "src"
    source.mkdir()
    (source / "train.py").write_text("import os\nraise SystemExit(3)\n")
    (bench.folder / "mend.sh").write_text("#!/bin/sh\nsed -i s/3/0/ train.py; printf new > added.txt\n")
    (bench.folder / "mend.sh").chmod(0o755)
    (bench.folder / "patched.yaml").write_text(LOOP)
    ran = bench.run("start", "patched.yaml", "-o", "json")
    assert ran.code == 0, ran.err
    assert [job["changes"][0][:6] for job in ran.json["jobs"] if job["changes"]] == ["source"]
    assert "+raise SystemExit(0)" in bench.run("inspect", "patched", "--job", "2", "-o", "json").json["diff"]

    shown = bench.run("diff", "patched")
    assert shown.code == 0
    for line in ("--- a/src/train.py", "+++ b/src/train.py", "-raise SystemExit(3)", "+raise SystemExit(0)",
                 "--- /dev/null", "+++ b/src/added.txt", "+new", "\\ No newline at end of file"):  # fmt: skip
        assert line in shown.out.splitlines()
    assert [path.name for path in source.iterdir()] == ["train.py"], "the user's files are as they were"

    given = (source / "train.py").read_text()
    (source / "train.py").write_text("mine\n")
    refused = bench.run("diff", "patched", "--apply")
    assert refused.code == 3
    assert "changed since" in refused.err
    assert (source / "train.py").read_text() == "mine\n"
    assert not (source / "added.txt").exists()

    # As an --apply that was killed between two files leaves them, and the user's own new file beside them.
    (source / "added.txt").write_text("new")
    (source / "notes.txt").write_text("mine")
    (source / "train.py").write_text(given)
    apply = ran.json["next"][0]["argv"][1:]
    assert apply[0] == "diff", "what comes next after a patched loop is to write its patches"
    for said in (f"wrote {source / 'train.py'}", "already"):
        applied = bench.run(*apply)
        assert applied.code == 0
        assert said in applied.err
        assert (source / "train.py").read_text() == "import os\nraise SystemExit(0)\n"
        assert (source / "added.txt").read_text() == "new"
    assert sorted(path.name for path in source.iterdir()) == ["added.txt", "notes.txt", "train.py"]
    shown = bench.run("diff", "patched")
    assert (shown.code, shown.out) == (0, ""), "once they are written, there is nothing to show"


def test_diff_of_a_loop_that_patched_nothing(finished: Bench):
    """No patch is no diff, and no error."""
    ran = finished.run("diff", "sweep")
    assert (ran.code, ran.out) == (0, "")
