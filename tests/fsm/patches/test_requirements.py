"""The editor of requirements files changes what it is asked to, and nothing else."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from wpfsm.fsm.patches.requirements import CannotEditError, pin_of, requirements, with_requirement


def test_hashes_and_urls_are_left_alone():
    """What cannot be edited without knowing more is refused with a reason."""
    with pytest.raises(CannotEditError, match="hashes"):
        with_requirement("a==1 --hash=sha256:00\n", Requirement("b"))
    with pytest.raises(CannotEditError, match="URL"):
        with_requirement("a @ https://x/a.whl\n", Requirement("a<2"))


def test_comments_options_markers_and_extras_stay():
    """An edit touches the specifier and nothing else, in every line that lists the distribution."""
    text = (
        "# top\n--extra-index-url https://x/simple\n-r other.txt\nNumPy [x] >=1.20 ; python_version < '3.12'  # why\n"
        "numpy==2.1 ; python_version >= '3.12'\n./local/pkg\n-e .\ntorch==2.1 \\\n    ; sys_platform == 'linux'\n"
    )

    edited = with_requirement(text, Requirement("numpy<2"))

    assert edited == text.replace(
        "NumPy [x] >=1.20 ; python_version < '3.12'", 'NumPy[x]<2; python_version < "3.12"'
    ).replace("numpy==2.1 ; python_version >= '3.12'", 'numpy<2; python_version >= "3.12"')


NAMES = st.text(string.ascii_lowercase, min_size=2, max_size=6)
VERSIONS = st.integers(0, 30).map(str) | st.tuples(st.integers(0, 9), st.integers(0, 9)).map(
    lambda v: f"{v[0]}.{v[1]}"
)
SPECIFIERS = st.tuples(st.sampled_from(["==", ">=", "<", "!="]), VERSIONS).map("".join) | st.just("")
LINES = st.one_of(
    st.tuples(NAMES, SPECIFIERS, st.sampled_from(["", "  # note", " ; python_version >= '3.8'"])).map(
        "".join
    ),
    st.sampled_from(["", "# only a comment", "--index-url https://x/simple", "-r base.txt", "-e .", "./pkg"]),
)
FILES = st.tuples(st.lists(LINES, max_size=8), st.sampled_from(["\n", "\r\n"]), st.booleans()).map(
    lambda t: t[1].join(t[0]) + (t[1] if t[2] and t[0] else "")
)


@given(text=FILES, name=NAMES, specifier=SPECIFIERS)
def test_an_edit_is_idempotent_and_parses(text, name, specifier):
    """Editing twice is editing once, and the file then says what was wanted."""
    wanted = Requirement(name + specifier)

    once = with_requirement(text, wanted)

    assert with_requirement(once, wanted) == once
    assert pin_of(once, name) == wanted.specifier
    assert all(r.specifier == wanted.specifier for r in requirements(once) if r.name == name)


@given(text=FILES, name=NAMES, specifier=SPECIFIERS)
def test_other_lines_are_untouched(text, name, specifier):
    """Every line that does not list the distribution is there as before, in order."""
    edited = with_requirement(text, Requirement(name + specifier))

    def others(lines: str) -> list[str]:
        return [line for line in lines.split("\n") if not line.startswith(name) and line.strip()]

    listed = {canonicalize_name(r.name) for r in requirements(text)}
    expected = others(text)
    if name not in listed and expected and not text.endswith("\n"):
        expected[-1] = others(edited)[len(expected) - 1]  # it got its missing line end
        assert expected[-1].rstrip("\r") == others(text)[-1]
    assert others(edited)[: len(expected)] == expected
