"""The command-line options that a source's parsers know, read from argparse, click, typer and HfArgumentParser.

What is built at run time (names in variables, subcommands, options that a library adds) makes the answer "not known".
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from wpfsm.fsm.source_checks.execution import Source

_CLICK = ("click", "rich_click", "asyncclick")
_OTHER_PARSERS = frozenset(
    {
        "fire",
        "tyro",
        "jsonargparse",
        "hydra",
        "omegaconf",
        "absl",
        "configargparse",
        "simple_parsing",
        "tap",
        "docopt",
        "pydantic_settings",
        "cyclopts",
        "plac",
        "sacred",
        "gin",
        "draccus",
        "chz",
        "lightning.pytorch.cli",
        "pytorch_lightning.cli",
        "datargs",
        "argparse_dataclass",
        "configparser",
        "cleo",
        "typed_argparse",
    }
)


@dataclass(frozen=True)
class Option:
    """One option of a parser.

    Attributes:
        names: As they are written on a command line, such as ``--batch-size``.
        choices: What it accepts, as strings; None for anything.
        takes_value: False for a switch, which ends the job when a value follows it.
        required: Whether the job ends without it.
        kind: ``int`` or ``float`` when that is what its value must be; else empty.
        file: Where it is declared.
        line: Counted from 1.
    """

    names: tuple[str, ...]
    choices: tuple[str, ...] | None = None
    takes_value: bool = True
    required: bool = False
    kind: str = ""
    file: str = ""
    line: int = 0


@dataclass
class Parser:
    """All options that the source's parsers know together.

    Attributes:
        open: Unknown options pass, or some options could not be read: nothing may be said of a name.
        count: How many parsers there are; with more than one, nothing may be said of what is required.
        abbreviates: An unambiguous beginning of a name is accepted.
    """

    options: list[Option] = field(default_factory=list)
    open: bool = False
    count: int = 0
    abbreviates: bool = False

    def find(self, name: str) -> Option | None:
        """The option that ``--name`` means."""
        asked = f"--{name}"
        for option in self.options:
            if asked in option.names:
                return option
        near = [o for o in self.options if any(each.startswith(asked) for each in o.names)]
        return near[0] if self.abbreviates and len(near) == 1 else None


def parser_of(source: Source) -> Parser:
    """The options of every parser in the files that the entry script reaches."""
    parser = Parser()
    for file in source.reachable:
        _Reader(source, file, parser).read()
    return parser


class _Reader:
    """Reads the parsers of one file."""

    def __init__(self, source: Source, file: str, parser: Parser) -> None:
        self._source, self._file, self._parser = source, file, parser
        self._tree = source.trees[file]

    def read(self) -> None:
        modules = set(_imported(self._tree))
        if any(m == o or m.startswith(f"{o}.") for m in modules for o in _OTHER_PARSERS):
            self._parser.open = True
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Call):
                self._call(node)
            elif isinstance(node, ast.FunctionDef):
                self._decorated(node, modules)

    def _call(self, node: ast.Call) -> None:
        name = _name(node.func)
        match name.rpartition(".")[2]:
            case "ArgumentParser":
                self._argument_parser(node)
            case "HfArgumentParser":
                self._dataclass_parser(node)
            case "add_argument":
                self._add_argument(node)
            case (
                "parse_known_args"
                | "parse_known_intermixed_args"
                | "add_subparsers"
                | "add_parser"
                | "set_defaults"
            ):
                self._parser.open |= not name.endswith("set_defaults")
            case "parse_args_into_dataclasses" if _keyword(node, "return_remaining_strings") is not None:
                self._parser.open = True
            case "run" if name == "typer.run":
                self._typer_function(node.args[0] if node.args else None)
            case "Typer":
                self._parser.count += 1
        # A parser that is handed to somebody gets options from there: a library's, or a function of the source's.
        if any(_is_parser_name(argument) for argument in node.args) and not self._is_own_call(node):
            self._parser.open = True

    def _argument_parser(self, node: ast.Call) -> None:
        self._parser.count += 1
        abbreviates = _keyword(node, "allow_abbrev")
        self._parser.abbreviates |= not (isinstance(abbreviates, ast.Constant) and abbreviates.value is False)
        if _keyword(node, "parents") is not None or _keyword(node, "fromfile_prefix_chars") is not None:
            self._parser.open = True

    def _is_own_call(self, node: ast.Call) -> bool:
        """Whether a function of the source's own is called: its ``add_argument`` calls are read where they stand."""
        if not isinstance(node.func, ast.Name):
            return False
        return any(
            isinstance(each, ast.FunctionDef) and each.name == node.func.id
            for file in self._source.reachable
            for each in ast.walk(self._source.trees[file])
        )

    def _add_argument(self, node: ast.Call) -> None:
        names = [_text(argument) for argument in node.args]
        if (
            None in names
            or any(isinstance(a, ast.Starred) for a in node.args)
            or any(k.arg is None for k in node.keywords)
        ):
            self._parser.open = True
            return
        action = _text(_keyword(node, "action")) or ""
        dashed = tuple(name for name in names if name and name.startswith("-"))
        if not dashed:
            return
        if "BooleanOptionalAction" in ast.dump(_keyword(node, "action") or ast.Constant(None)):
            action = "store_true"
        known_type = _name(_keyword(node, "type"))
        self._parser.options.append(
            Option(
                dashed,
                choices=_choices(_keyword(node, "choices")),
                takes_value=action
                not in ("store_true", "store_false", "store_const", "count", "append_const"),
                required=_is_true(_keyword(node, "required")),
                kind=known_type if known_type in ("int", "float") and _keyword(node, "nargs") is None else "",
                file=self._file,
                line=node.lineno,
            )
        )

    def _decorated(self, node: ast.FunctionDef, modules: set[str]) -> None:
        """Click's options, and the parameters of a typer command."""
        for decorator in node.decorator_list:
            call = decorator if isinstance(decorator, ast.Call) else None
            name = _name(call.func if call else decorator)
            if name.rpartition(".")[2] == "option" and modules.intersection(_CLICK) and call:
                self._click_option(call)
            elif modules.intersection(_CLICK) and name.rpartition(".")[2] in ("command", "group"):
                self._parser.count += 1
                if (call and _keyword(call, "context_settings") is not None) or name.endswith("group"):
                    self._parser.open = True
            elif "typer" in modules and name.rpartition(".")[2] in ("command", "callback"):
                if name.endswith("callback") or (call and _keyword(call, "context_settings") is not None):
                    self._parser.open = True
                self._function_options(node)
            elif modules.intersection(_CLICK) and call is None and name:
                self._parser.open = True  # a decorator of somebody's, which may add options

    def _click_option(self, node: ast.Call) -> None:
        names = [_text(argument) for argument in node.args]
        if None in names:
            self._parser.open = True
            return
        dashed: list[str] = []
        switch = _is_true(_keyword(node, "is_flag"))
        for name in names:
            if name and name.startswith("-"):
                switch |= "/" in name
                dashed += [part.strip() for part in name.split("/")]
        choice = _keyword(node, "type")
        choices = None
        if isinstance(choice, ast.Call) and _name(choice.func).endswith("Choice") and not choice.keywords:
            choices = _choices(choice.args[0] if choice.args else None)
        self._parser.options.append(
            Option(
                tuple(dashed),
                choices=choices,
                takes_value=not switch,
                required=_is_true(_keyword(node, "required")),
                file=self._file,
                line=node.lineno,
            )
        )

    def _typer_function(self, argument: ast.expr | None) -> None:
        functions = {n.name: n for n in ast.walk(self._tree) if isinstance(n, ast.FunctionDef)}
        self._parser.count += 1
        if isinstance(argument, ast.Name) and argument.id in functions:
            self._function_options(functions[argument.id])
        else:
            self._parser.open = True

    def _function_options(self, node: ast.FunctionDef) -> None:
        """A typer command's parameters: those with a default are options, named with dashes."""
        arguments = [*node.args.posonlyargs, *node.args.args]
        defaults: list[ast.expr | None] = [None] * (len(arguments) - len(node.args.defaults)) + list(
            node.args.defaults
        )
        pairs = [
            *zip(arguments, defaults, strict=True),
            *zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True),
        ]
        for argument, default in pairs:
            shown = ast.dump(argument.annotation) if argument.annotation else ""
            if isinstance(default, ast.Call) or "Annotated" in shown:
                own = _option_names(default if isinstance(default, ast.Call) else argument.annotation)
                if own is None:
                    self._parser.open = True
                    continue
            else:
                own = ()
            if default is None and "Annotated" not in shown:
                continue  # a positional argument
            names = own or (f"--{argument.arg.replace('_', '-')}",)
            switch = shown == ast.dump(ast.Name("bool", ast.Load()))
            self._parser.options.append(
                Option(names, takes_value=not switch, file=self._file, line=argument.lineno)
            )

    def _dataclass_parser(self, node: ast.Call) -> None:
        """The fields of the dataclasses that it is made of; open where one of them is not the source's own."""
        self._parser.count += 1
        self._parser.abbreviates = True
        first = node.args[0] if node.args else None
        classes = first.elts if isinstance(first, ast.Tuple | ast.List) else [first] if first else []
        for each in classes:
            fields = self._fields(each.id) if isinstance(each, ast.Name) else None
            if fields is None:
                self._parser.open = True
                return
            for name, file, line in fields:
                self._parser.options.append(
                    Option((f"--{name}", f"--{name.replace('_', '-')}"), file=file, line=line)
                )

    def _fields(self, name: str) -> Sequence[tuple[str, str, int]] | None:
        for file in self._source.reachable:
            for node in ast.walk(self._source.trees[file]):
                if isinstance(node, ast.ClassDef) and node.name == name:
                    if node.bases:
                        return None
                    return [
                        (s.target.id, file, s.lineno)
                        for s in node.body
                        if isinstance(s, ast.AnnAssign) and isinstance(s.target, ast.Name)
                    ]
        return None


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def _option_names(node: ast.AST | None) -> tuple[str, ...] | None:
    """The names that a ``typer.Option`` gives itself; empty for none, None where it is no plain option."""
    for call in ast.walk(node) if node else ():
        if isinstance(call, ast.Call):
            if not _name(call.func).endswith("Option"):
                return None
            texts = [_text(argument) for argument in call.args]
            return tuple(part for text in texts if text and text.startswith("-") for part in text.split("/"))
    return ()


def _keyword(node: ast.Call, name: str) -> ast.expr | None:
    return next((keyword.value for keyword in node.keywords if keyword.arg == name), None)


def _text(node: ast.AST | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _is_true(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


def _choices(node: ast.expr | None) -> tuple[str, ...] | None:
    """The values of a literal list; None for anything else."""
    if not isinstance(node, ast.List | ast.Tuple | ast.Set):
        return None
    if not all(isinstance(each, ast.Constant) for each in node.elts):
        return None
    return tuple(str(each.value) for each in node.elts if isinstance(each, ast.Constant))


def _name(node: ast.AST | None) -> str:
    """``a.b`` of a dotted expression."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_name(node.value)}.{node.attr}".lstrip(".")
    return ""


def _is_parser_name(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("parser", "ap", "arg_parser", "argparser", "group", "p")
