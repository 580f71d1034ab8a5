"""Which statements of a source surely run when its entry script does: the ones that a check may blame.

What stands behind an ``if``, in a ``try`` that catches, in a lambda or in a function that nobody surely calls may never
run, so nothing is concluded from it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath

_CATCHES_IMPORT = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})
_CALLS_ITS_ARGUMENT = frozenset({"run", "Fire", "spawn", "launch", "start_processes"})
_MOST_FILES = 500


@dataclass(frozen=True)
class Import:
    """An import statement that surely runs.

    Attributes:
        module: Dotted name, absolute.
        file: Where it stands, relative to the source folder.
        line: Counted from 1.
    """

    module: str
    file: str
    line: int


@dataclass(frozen=True)
class Source:
    """The text files of a source folder, and the script that is started."""

    files: Mapping[str, str]
    entry: str

    @cached_property
    def trees(self) -> Mapping[str, ast.Module]:
        """The Python files that can be parsed, by name."""
        found: dict[str, ast.Module] = {}
        for name in [name for name in self.files if name.endswith(".py")][:_MOST_FILES]:
            try:
                found[name] = ast.parse(self.files[name])
            except (SyntaxError, ValueError, RecursionError):
                continue
        return found

    @cached_property
    def run(self) -> Run:
        """What surely runs."""
        return _Walk(self).run()

    @cached_property
    def reachable(self) -> Sequence[str]:
        """The files that the entry script imports, however conditionally, itself first."""
        seen, queue = [self.entry], [self.entry]
        while queue:
            name = queue.pop()
            tree = self.trees.get(name)
            for node in ast.walk(tree) if tree else ():
                for module in _modules_of(node, name):
                    for file in self.files_of(module):
                        if file not in seen:
                            seen.append(file)
                            queue.append(file)
        return [name for name in seen if name in self.trees]

    def files_of(self, module: str) -> Sequence[str]:
        """The files of the source that an import of a module executes; empty when it is not the source's own."""
        for root in self._roots:
            found, at = [], root
            for part in module.split("."):
                at = at / part
                if (package := str(at / "__init__.py")) in self.files:
                    found.append(package)
                elif str(at.with_suffix(".py")) in self.files:
                    return [*found, str(at.with_suffix(".py"))]
            if found:
                return found
        return []

    def is_own(self, module: str) -> bool:
        """Whether the source has a file or folder of that name anywhere: a script may extend ``sys.path``."""
        return module.partition(".")[0] in self._names

    @cached_property
    def _roots(self) -> Sequence[PurePosixPath]:
        """Where imports look: beside the entry script first, then at the top."""
        beside = PurePosixPath(self.entry).parent
        return [beside] if str(beside) == "." else [beside, PurePosixPath(".")]

    @cached_property
    def _names(self) -> frozenset[str]:
        parts = {part for name in self.files for part in PurePosixPath(name).parts[:-1]}
        return frozenset(parts | {PurePosixPath(name).stem for name in self.files})


@dataclass
class Run:
    """What surely runs.

    Attributes:
        imports: In the order in which they are met.
        files: The files of which something runs.
    """

    imports: list[Import] = field(default_factory=list)
    files: list[str] = field(default_factory=list)


class _Walk:
    """Follows what surely runs through the files of a source."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._run = Run()
        self._called: set[tuple[str, str]] = set()
        self._functions: dict[str, dict[str, ast.FunctionDef | ast.AsyncFunctionDef]] = {}
        self._names: dict[str, dict[str, tuple[str, str]]] = {}

    def run(self) -> Run:
        self._module(self._source.entry)
        return self._run

    def _module(self, file: str) -> None:
        tree = self._source.trees.get(file)
        if tree is None or file in self._run.files:
            return
        self._run.files.append(file)
        nodes = [n for n in tree.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
        self._functions[file] = {node.name: node for node in nodes}
        self._names[file] = {}
        self._body(tree.body, file)

    def _body(self, statements: Sequence[ast.stmt], file: str) -> None:
        for statement in statements:
            self._statement(statement, file)
            if isinstance(statement, ast.Return | ast.Raise | ast.Continue | ast.Break):
                return

    def _statement(self, node: ast.stmt, file: str) -> None:
        match node:
            case ast.Import() | ast.ImportFrom():
                self._import(node, file)
            case ast.If():
                self._expression(node.test, file)
                if _is_main(node.test) and file == self._source.entry:
                    self._body(node.body, file)
            case ast.Try() | ast.TryStar():
                if not any(_catches(handler) for handler in node.handlers):
                    self._body([*node.body, *node.orelse], file)
                self._body(node.finalbody, file)
            case ast.With() | ast.AsyncWith():
                if any("suppress" in ast.dump(item.context_expr) for item in node.items):
                    return
                for item in node.items:
                    self._expression(item.context_expr, file)
                self._body(node.body, file)
            case ast.For() | ast.AsyncFor():
                self._expression(node.iter, file)
                self._body(node.body, file)
            case ast.While():
                self._body(node.body, file)
            case ast.ClassDef():
                self._body(node.body, file)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Match():
                pass
            case _:
                self._expression(node, file)

    def _import(self, node: ast.Import | ast.ImportFrom, file: str) -> None:
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        else:
            base = _absolute(node, file)
            modules = [base] if base else []
            for alias in node.names:
                self._names[file][alias.asname or alias.name] = (base, alias.name)
                if self._source.files_of(f"{base}.{alias.name}"):
                    modules.append(f"{base}.{alias.name}")
        for module in modules:
            own = self._source.files_of(module)
            if not own and not (isinstance(node, ast.ImportFrom) and node.level):
                self._run.imports.append(Import(module, file, node.lineno))
            for name in own:
                self._module(name)

    def _expression(self, node: ast.AST, file: str) -> None:
        """Follow the calls of functions of the source that evaluating this surely makes."""
        if isinstance(node, ast.BoolOp | ast.IfExp | ast.Lambda):
            return
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                self._call(node.func.id, file)
            elif isinstance(node.func, ast.Attribute) and node.func.attr in _CALLS_ITS_ARGUMENT:
                for argument in node.args[:1]:
                    if isinstance(argument, ast.Name):
                        self._call(argument.id, file)
        for child in ast.iter_child_nodes(node):
            self._expression(child, file)

    def _call(self, name: str, file: str) -> None:
        if name in self._functions[file]:
            if (file, name) not in self._called:
                self._called.add((file, name))
                self._body(self._functions[file][name].body, file)
        elif name in self._names[file]:
            module, original = self._names[file][name]
            for own in self._source.files_of(module)[-1:]:
                if original in self._functions.get(own, {}):
                    self._call(original, own)


def _modules_of(node: ast.AST, file: str) -> Iterator[str]:
    """The modules that an import statement may execute."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = _absolute(node, file)
        yield base
        yield from (f"{base}.{alias.name}".lstrip(".") for alias in node.names)


def _absolute(node: ast.ImportFrom, file: str) -> str:
    """The module of ``from X import``, a relative one seen from the top of the source."""
    if not node.level:
        return node.module or ""
    folder = PurePosixPath(file).parent
    for _ in range(node.level - 1):
        folder = folder.parent
    parts = [part for part in folder.parts if part != "."]
    return ".".join([*parts, *([node.module] if node.module else [])])


def _is_main(test: ast.expr) -> bool:
    return isinstance(test, ast.Compare) and "__name__" in ast.dump(test) and "__main__" in ast.dump(test)


def _catches(handler: ast.ExceptHandler) -> bool:
    """Whether a missing module would be caught."""
    if handler.type is None:
        return True
    names = {
        n.id if isinstance(n, ast.Name) else n.attr
        for n in ast.walk(handler.type)
        if isinstance(n, ast.Name | ast.Attribute)
    }
    return bool(names & _CATCHES_IMPORT)
