"""A metric expression that no line which the source prints could match: the loop would train and see no metric."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from wpfsm.fsm.source_checks.execution import Source
from wpfsm.fsm.source_checks.finding import SourceFinding

_PRINTS_METRICS = (
    "transformers",
    "trl",
    "setfit",
    "sentence_transformers",
    "lightning",
    "pytorch_lightning",
    "keras",
    "tensorflow",
    "tf_keras",
    "xgboost",
    "lightgbm",
    "catboost",
    "fastai",
    "ignite",
    "composer",
    "ultralytics",
    "mmengine",
    "mmdet",
    "mmcv",
    "detectron2",
    "catalyst",
    "flair",
    "spacy",
    "autogluon",
    "paddle",
    "mxnet",
    "gluonts",
    "skorch",
    "fairseq",
    "allennlp",
    "torchtune",
    "axolotl",
    "unsloth",
    "swift",
    "llamafactory",
    "stable_baselines3",
    "ray",
    "timm",
    "yolov5",
    "subprocess",
    "os.system",
    "runpy",
    "importlib",
    "pprint",
    "tabulate",
    "rich",
    "sagemaker_training",
)
"""Libraries that print figures under names of their own, or run what does."""

_SAMPLES = ("0.5", "3", "1e-05")
_PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[-+ #0]*[\d*]*(?:\.[\d*]+)?[diouxXeEfFgGcrsa]|\{[^{}]*\}")
_WORD = re.compile(r"[A-Za-z]{3,}")
_WRITERS = frozenset(
    {"print", "write", "info", "debug", "warning", "error", "log", "critical", "echo", "secho", "success"}
)


def unprinted_metric(source: Source, name: str, regex: str) -> Iterator[SourceFinding]:
    """What is said when nothing that the source prints could match.

    Args:
        source: The source.
        name: The metric's name, for the sentence.
        regex: ``metric.regex``.
    """
    try:
        pattern = re.compile(regex)
    except re.error:
        return
    words = {word.lower() for word in _WORD.findall(_literal(regex))}
    if not words or not source.entry.endswith(".py") or source.entry not in source.trees:
        return
    lines: list[tuple[str, str, int]] = []
    for file in source.reachable:
        tree = source.trees[file]
        if _uses(tree, _PRINTS_METRICS):
            return
        printed = _Printed()
        printed.visit(tree)
        lines += [(text, file, line) for text, line in printed.lines]
        if any(word in other.lower() for other in printed.others for word in words):
            return
    if not lines or any(pattern.search(text) for text, _, _ in lines):
        return
    near = next((each for each in lines if any(word in each[0].lower() for word in words)), None)
    if near is None and len(source.trees) < len([f for f in source.files if f.endswith(".py")]):
        return  # a file that could not be parsed may print it
    text, file, line = near or ("", source.entry, 0)
    said = f"; nearest is {text.strip()[:120]!r}" if near else ""
    yield SourceFinding(
        "metric",
        f"nothing that the source prints matches metric.regex {regex!r} ({name}){said}",
        file,
        line,
        "correct metric.regex or the line that is printed; wpfsm metric tries an expression on a log",
    )


def _literal(regex: str) -> str:
    """The expression without its classes, escapes and groups' contents."""
    text = re.sub(r"\\[dwsDWSbB]|\[(?:\\.|[^\]\\])*\]|\(\?[a-zA-Z]+\)|\(\?P<\w+>", " ", regex)
    return re.sub(r"\\(.)", r"\1", text)


def _uses(tree: ast.Module, modules: tuple[str, ...]) -> bool:
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        elif isinstance(node, ast.Attribute) and node.attr == "system":
            return True
        if any(name == m or name.startswith(f"{m}.") for name in names for m in modules):
            return True
    return False


class _Printed(ast.NodeVisitor):
    """Lines that print and logging calls would write, with numbers in the place of values; and all other texts."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, int]] = []
        self.others: list[str] = []

    def visit_Call(self, node: ast.Call) -> None:
        writer = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if writer in _WRITERS and node.args:
            self._written(node)
        else:
            self.others += [keyword.arg for keyword in node.keywords if keyword.arg]
            self.generic_visit(node)

    def _written(self, node: ast.Call) -> None:
        separator = next(
            (k.value.value for k in node.keywords if k.arg == "sep" and isinstance(k.value, ast.Constant)),
            " ",
        )
        inner = _Printed()
        for argument in node.args:
            inner.visit(argument)
        # Texts inside a dictionary or a nested call: how they are written is not known.
        self.others += inner.others if not all(map(_is_plain, node.args)) else []
        first = node.args[0]
        for sample in _SAMPLES:
            if isinstance(first, ast.Constant) and isinstance(first.value, str) and len(node.args) > 1:
                formatted = _PLACEHOLDER.sub(sample, first.value)
                self.lines.append((formatted, node.lineno))
            texts = [_sample(argument, sample) for argument in node.args]
            self.lines.append((str(separator).join(texts), node.lineno))

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str) and "\n\n" not in node.value:
            self.others.append(node.value)

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):  # a docstring prints nothing
            self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self.visit(node.value)
        if isinstance(node.ctx, ast.Store):  # a key that is only read is not printed
            self.visit(node.slice)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for statement in node.body:
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                self.others.append(statement.target.id)
        self.generic_visit(node)


def _is_plain(node: ast.expr) -> bool:
    """A text with values in it, or a bare value: what is printed of it is known."""
    match node:
        case ast.Constant() | ast.JoinedStr() | ast.Name() | ast.Attribute() | ast.Subscript():
            return True
        case ast.BinOp(op=ast.Mod(), left=ast.Constant()):
            return True
        case ast.BinOp(left=left, right=right):
            return _is_plain(left) and _is_plain(right)
        case ast.Call(func=ast.Attribute(value=ast.Constant(), attr="format")):
            return True
        case ast.Call(func=ast.Name(id="round" | "float" | "str" | "int" | "len")):
            return True
        case ast.Call(func=ast.Attribute(attr="item" | "mean")):
            return True
        case _:
            return False


def _sample(node: ast.expr, number: str) -> str:
    """An expression as it might be printed."""
    match node:
        case ast.Constant():
            return str(node.value)
        case ast.JoinedStr():
            return "".join(_sample(value, number) for value in node.values)
        case ast.FormattedValue():
            return number
        case ast.BinOp(op=ast.Mod(), left=ast.Constant(value=str() as text)):
            return _PLACEHOLDER.sub(number, text)
        case ast.BinOp(op=ast.Add()):
            return _sample(node.left, number) + _sample(node.right, number)
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str() as text), attr="format")):
            return _PLACEHOLDER.sub(number, text)
        case ast.Dict():
            pairs = zip(node.keys, node.values, strict=True)
            return (
                "{"
                + ", ".join(f"'{_sample(k, number) if k else ''}': {_sample(v, number)}" for k, v in pairs)
                + "}"
            )
        case ast.Call(args=[ast.Dict() as given, *_]):
            return _sample(given, number).replace("'", '"')
        case _:
            return number
