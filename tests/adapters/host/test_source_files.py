"""What belongs to a source folder, and what is left out of it."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from wpfsm.adapters.host import source_files
from wpfsm.adapters.host.source_files import look_through
from wpfsm.adapters.host.sources import LocalSources
from wpfsm.fsm.errors import UsageError


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder with a script."""
    folder = tmp_path / "src"
    folder.mkdir()
    (folder / "train.py").write_text("pass")
    return folder


def names(folder: Path, within: Path | None = None) -> list[str]:
    """The files that belong to it."""
    return [file.relative_to(folder).as_posix() for file in look_through(folder, within).files]


def test_what_is_no_file_is_left_out_and_said(source: Path) -> None:
    """Links to nothing and in a circle, a FIFO, a socket: none of them is opened, so none makes anybody wait."""
    (source / "gone").symlink_to(source / "nowhere")
    (source / "round").symlink_to(source / "round")
    os.mkfifo(source / "pipe")
    here = Path.cwd()
    with socket.socket(socket.AF_UNIX) as bound:
        os.chdir(source)  # a socket's address is at most 107 bytes
        bound.bind("agent.sock")
        os.chdir(here)
        found = look_through(source)
    assert [file.name for file in found.files] == ["train.py"]
    assert found.left_out == [
        "agent.sock (a socket)", "gone (a link to nothing)", "pipe (a FIFO)", "round (a link to itself)",
    ]  # fmt: skip


def test_links_to_folders_are_followed_inside_the_loop_files_folder(tmp_path: Path, source: Path) -> None:
    """Shared code beside the source belongs to it; a way round in a circle and a way out do not."""
    (tmp_path / "common").mkdir()
    (tmp_path / "common" / "util.py").write_text("")
    (source / "common").symlink_to("../common")
    (source / "pkg").mkdir()
    (source / "pkg" / "up").symlink_to("..")
    (source / "etc").symlink_to("/etc")
    assert names(source, tmp_path) == ["train.py", "common/util.py"]
    assert [line.partition(" ")[0] for line in look_through(source, tmp_path).left_out] == ["etc", "pkg/up"]


@pytest.mark.parametrize(
    "secret", [".env", ".env.production", "tls.key", "deploy/id_rsa", ".aws/credentials", ".netrc"]
)
def test_secrets_are_left_out_and_said_unless_they_are_named(source: Path, secret: str) -> None:
    """Nobody means to upload a key; who does, writes so."""
    (source / secret).parent.mkdir(exist_ok=True)
    (source / secret).write_text("x")
    found = look_through(source)
    assert [file.name for file in found.files] == ["train.py"]
    assert len(found.left_out) == 1
    assert "may hold secrets" in found.left_out[0]
    folder = f"!{secret.rpartition('/')[0]}/\n" if "/" in secret else ""
    (source / ".wpfsmignore").write_text(f"{folder}!{secret}\n")
    assert secret in names(source)


def test_the_ignore_file_has_the_syntax_of_gitignore(source: Path) -> None:
    """Anchors, folders, wildcards, comments; the last line that fits decides."""
    for name in (
        "data/a.csv",
        "keep/data.txt",
        "notes/x.md",
        "notes/y.md",
        "deep/er/b.log",
        "lib/__pycache__/c.pyc",
    ):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text("x")
    (source / ".wpfsmignore").write_text("# data\n/data/\n**/*.log\nnotes/*\n!notes/y.md\n")
    assert names(source) == [".wpfsmignore", "train.py", "keep/data.txt", "notes/y.md"]
    assert look_through(source).left_out == []


def test_a_line_that_is_no_pattern_is_refused(source: Path) -> None:
    """The file is named, and nothing is left out by half a list."""
    (source / ".wpfsmignore").write_text("!\n")
    with pytest.raises(UsageError, match=r"\.wpfsmignore"):
        look_through(source)


def test_a_file_that_cannot_be_read_is_named(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2 and the path, not a traceback."""
    secret = source / "locked.bin"
    secret.write_text("x")
    real = Path.read_bytes

    def refuse(path: Path) -> bytes:
        if path.name == "locked.bin":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", refuse)  # root may read everything
    with pytest.raises(UsageError, match=r"locked\.bin: Permission denied"):
        LocalSources(tmp_path / "kept", tmp_path).snapshot("src")


def test_too_many_files_are_a_mistake(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A data set inside the source is told before it is read."""
    monkeypatch.setattr(source_files, "MOST_FILES", 3)
    for number in range(4):
        (source / f"{number}.jpg").write_text("")
    with pytest.raises(UsageError, match="more than 3 files"):
        look_through(source)


def test_a_source_that_leads_round_in_a_circle_is_refused(tmp_path: Path) -> None:
    """A link to itself is no folder."""
    (tmp_path / "src").symlink_to("src")
    with pytest.raises(UsageError, match=r"job\.source"):
        LocalSources(tmp_path / "kept", tmp_path).snapshot("src")


def test_a_snapshot_keeps_what_was_named_through_a_patch(tmp_path: Path, source: Path) -> None:
    """A derived snapshot is filtered by the same lines as the first."""
    (source / ".env").write_text("A=1")
    (source / ".wpfsmignore").write_text("!.env\n")
    sources = LocalSources(tmp_path / "kept", tmp_path)
    first = sources.snapshot("src")
    patched = sources.derive(first, {"train.py": "print(1)"})
    assert set(sources.files(patched)) == {".env", ".wpfsmignore", "train.py"}
    assert sources.size(patched)[0] == 3
