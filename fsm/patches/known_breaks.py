"""Names that a release of a well-known package took away, and the version before which they are still there.

Each row is public history of the package named; the general rule (below the installed major version) applies to
whatever is not listed.
"""

from __future__ import annotations

import re

_NUMPY_1_24 = "bool|int|float|complex|object|str|long"
_NUMPY_2 = (
    "float_|complex_|NaN|NAN|Inf|Infinity|infty|PINF|NINF|PZERO|NZERO|unicode_|string_|cast|product|cumproduct|alltrue"
    "|sometrue|in1d|find_common_type|asfarray|msort|mat|issubclass_|obj2sctype|sctypes|set_string_function|round_|deprecate"
    "|disp|byte_bounds|compat|recfromcsv|recfromtxt|who|maximum_sctype|cfloat|longfloat|singlecomplex|clongfloat|nbytes"
)

_BREAKS: tuple[tuple[str, str, str], ...] = (
    ("numpy", _NUMPY_1_24, "numpy<1.24"),
    ("numpy", _NUMPY_2, "numpy<2"),
    ("PIL.Image", "ANTIALIAS|LINEAR|CUBIC", "Pillow<10"),
    ("datasets", "load_metric", "datasets<3"),
    ("huggingface_hub", "cached_download", "huggingface-hub<0.26"),
    (
        "jinja2",
        "Markup|escape|contextfilter|contextfunction|environmentfilter|evalcontextfilter",
        "Jinja2<3.1",
    ),
    ("markupsafe", "soft_unicode", "MarkupSafe<2.1"),
    ("scipy.linalg", "triu|tril", "scipy<1.13"),
    ("scipy.signal", "gaussian|hann|hamming|blackman|kaiser", "scipy<1.13"),
    ("torchvision.transforms.functional_tensor", "", "torchvision<0.17"),
    ("werkzeug.urls", "url_quote|url_unquote|url_decode|url_encode", "Werkzeug<3"),
)


def known_break(module: str, name: str) -> str | None:
    """The requirement under which ``module`` still has ``name``; None when the table does not know.

    Args:
        module: dotted name of the module that was asked.
        name: what it lacks; empty when the module itself is missing.
    """
    for of, names, requirement in _BREAKS:
        if of == module and re.fullmatch(names, name):
            return requirement
    return None
