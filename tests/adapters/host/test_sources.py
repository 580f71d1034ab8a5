"""Snapshots that no loop names any more are removed; one that was taken a moment ago stays."""

from __future__ import annotations

from pathlib import Path

from wpfsm.adapters.host.sources import FRESH_SECONDS, LocalSources


def test_a_snapshot_that_is_not_named_is_removed_once_it_is_old(tmp_path: Path) -> None:
    """A loop that is being started has its snapshot before its row: taken anew, it counts as fresh."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "train.py").write_text("print()\n")
    sources = LocalSources(tmp_path / "kept", tmp_path)
    digest = sources.snapshot("src")
    folder = Path(sources.path(digest))
    taken = folder.stat().st_mtime
    sources.remove([digest, "unknown"], taken + FRESH_SECONDS - 1)
    assert folder.is_dir()
    sources.snapshot("src")
    sources.remove([digest], folder.stat().st_mtime + FRESH_SECONDS + 1)
    assert list((tmp_path / "kept").iterdir()) == []
