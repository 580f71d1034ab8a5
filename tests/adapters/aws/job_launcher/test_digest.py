"""What is part of the key under which packages are kept, and what cannot be kept at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from wpfsm.adapters.aws.job_launcher.digest import NotCached, installed, key, texts


def read(folder: Path, text: str, **more: str) -> list[bytes]:
    for name, content in more.items():
        (folder / f"{name}.txt").write_text(content)
    (folder / "requirements.txt").write_text(text)
    return list(texts(str(folder / "requirements.txt")))


def test_files_that_are_named_are_read_once(tmp_path: Path) -> None:
    found = read(tmp_path, "-r a.txt\n--constraint=b.txt\nnumpy\n", a="-r requirements.txt\nx\n", b="y\n")
    assert found[1:] == [b"-r requirements.txt\nx\n", b"y\n"]


@pytest.mark.parametrize(
    "line",
    [
        "-e .",
        "--editable=src",
        "./package",
        "spam @ file:///opt/spam",
        "-r https://index.example/requirements.txt",
    ],
)
def test_what_may_change_while_its_text_stays_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    (tmp_path / "package").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotCached):
        read(tmp_path, f"{line}\n")


def test_a_folder_named_like_a_requirement_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "transformers").mkdir()
    monkeypatch.chdir(tmp_path)
    assert len(read(tmp_path, "transformers\n")) == 1


def test_wheels_of_a_local_folder_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "wheels").mkdir()
    monkeypatch.chdir(tmp_path)
    before = read(tmp_path, "--find-links wheels\nspam\n")
    (tmp_path / "wheels" / "spam-2.0-py3-none-any.whl").write_bytes(b"x")
    assert read(tmp_path, "--find-links wheels\nspam\n") != before


def test_the_key_depends_on_all_that_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("spam\n")
    brought = tmp_path / "site-packages"
    (brought / "numpy-2.0.dist-info").mkdir(parents=True)
    assert list(installed([str(brought)])) == ["numpy-2.0"]

    def now(image: str = "train:1") -> str:
        return key(str(requirements), image, [str(brought)])

    seen = {now(), now("train:2")}
    monkeypatch.setenv("PIP_INDEX_URL", "https://index.example/simple")
    seen.add(now())
    monkeypatch.setenv("PIP_CACHE_DIR", "/somewhere")
    seen.add(now())
    assert len(seen) == 3, "the place of a cache decides nothing"
    (brought / "torch-2.5.dist-info").mkdir()
    seen.add(now())
    requirements.write_text("spam==1\n")
    seen.add(now())
    assert len(seen) == 5
