"""Hyperparameters that the script's parser would end the job for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from wpfsm.fsm.errors import did_you_mean
from wpfsm.fsm.records import JSON
from wpfsm.fsm.source_checks.execution import Source
from wpfsm.fsm.source_checks.finding import SourceFinding
from wpfsm.fsm.source_checks.parsers import Option, Parser, parser_of


def refused_hyperparameters(source: Source, values: Mapping[str, Sequence[JSON]]) -> Iterator[SourceFinding]:
    """What the parser does not know or does not take.

    Args:
        source: The source.
        values: Each hyperparameter with all the values that trials will give it.
    """
    parser = parser_of(source)
    if not parser.count or not parser.options:
        return
    for name, given in values.items():
        option = parser.find(name)
        if option is None:
            if not parser.open:
                yield _unknown(source, parser, name)
        elif parser.count == 1:
            yield from _refused(option, name, given)
    if parser.count == 1 and not parser.open:
        for option in parser.options:
            if option.required and not any(parser.find(name) is option for name in values):
                yield SourceFinding(
                    "hyperparameters",
                    f"the script requires {option.names[0]}, which no trial gives",
                    option.file,
                    option.line,
                    f"add {option.names[0].lstrip('-')} to job.hyperparameters",
                )


def _unknown(source: Source, parser: Parser, name: str) -> SourceFinding:
    known = sorted(
        {each.lstrip("-") for option in parser.options for each in option.names if each.startswith("--")}
    )
    first = parser.options[0]
    spelled = next((each for each in known if each.replace("-", "_") == name), name)
    fix = did_you_mean(spelled, known, f"the script knows {', '.join(known[:12])}")
    return SourceFinding(
        "hyperparameters",
        f"the script's parser does not know --{name}, and would end the job",
        first.file or source.entry,
        first.line,
        fix,
    )


def _refused(option: Option, name: str, given: Sequence[JSON]) -> Iterator[SourceFinding]:
    if not option.takes_value:
        example = _shown(given[0]) if given else "VALUE"
        yield SourceFinding(
            "hyperparameters",
            f"--{name} is a switch, but a job passes every hyperparameter with a value (--{name} {example}), "
            "which ends it",
            option.file,
            option.line,
            "give it a type that reads true and false, or leave it out",
        )
        return
    texts = [_shown(value) for value in given]
    if option.choices is not None and (wrong := [t for t in texts if not _is_among(t, option.choices)]):
        yield SourceFinding(
            "hyperparameters",
            f"--{name} {wrong[0]} is not among the script's choices: {', '.join(option.choices)}",
            option.file,
            option.line,
            "correct the value, or add it to the choices",
        )
    elif option.kind and (wrong := [text for text in texts if not _reads(option.kind, text)]):
        yield SourceFinding(
            "hyperparameters",
            f"--{name} {wrong[0]} is not the {option.kind} that the script asks for",
            option.file,
            option.line,
            "correct the value, or the option's type",
        )


def _is_among(text: str, choices: Sequence[str]) -> bool:
    """Whether a choice is that text, or that number written otherwise."""
    if text in choices:
        return True
    return _reads("float", text) and any(_reads("float", c) and float(c) == float(text) for c in choices)


def _shown(value: JSON) -> str:
    """As the SDK's driver writes it on the command line."""
    return value if isinstance(value, str) else json.dumps(value)


def _reads(kind: str, text: str) -> bool:
    try:
        int(text) if kind == "int" else float(text)
    except ValueError:
        return False
    return True
