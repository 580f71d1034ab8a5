"""Names that a release took away, and where they still are."""

from __future__ import annotations

import pytest
from packaging.requirements import Requirement

from wpfsm.fsm.patches.known_breaks import known_break


@pytest.mark.parametrize(
    ("module", "name", "requirement"),
    [
        ("numpy", "bool", "numpy<1.24"),
        ("numpy", "float_", "numpy<2"),
        ("numpy", "float64", None),
        ("PIL.Image", "ANTIALIAS", "Pillow<10"),
        ("PIL", "ANTIALIAS", None),
        ("torchvision.transforms.functional_tensor", "", "torchvision<0.17"),
        ("torchvision.transforms.functional_tensor", "rgb_to_grayscale", None),
        ("nobody", "", None),
    ],
)
def test_a_name_is_there_below_the_version_that_took_it_away(
    module: str, name: str, requirement: str | None
) -> None:
    """The whole name of the whole module counts; a part of either says nothing."""
    assert known_break(module, name) == requirement


def test_what_is_named_is_an_upper_bound() -> None:
    """It can be written into a requirements file as it is."""
    found = known_break("jinja2", "Markup")

    assert found is not None
    assert [bound.operator for bound in Requirement(found).specifier] == ["<"]
