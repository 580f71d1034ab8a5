"""What a search asks for: conditions on a training job's properties, as one test of a record.

A record is a training job as DescribeTrainingJob shows it, with its tags beside it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, cast

from wpfsm.adapters.emulator.engine.errors import invalid
from wpfsm.adapters.emulator.engine.records import Request
from wpfsm.adapters.emulator.engine.service_model import service
from wpfsm.adapters.emulator.runner.base import JSONValue

if TYPE_CHECKING:
    from botocore.model import Shape, StructureShape

MOST_CONDITIONS = 50
METRICS, TAGS = "Metrics", "Tags"
NUMBERS = frozenset({"integer", "long", "float", "double"})
ORDERED: dict[str, Callable[[float, float], bool]] = {
    "GreaterThan": lambda found, wanted: found > wanted,
    "GreaterThanOrEqualTo": lambda found, wanted: found >= wanted,
    "LessThan": lambda found, wanted: found < wanted,
    "LessThanOrEqualTo": lambda found, wanted: found <= wanted,
}

Record = dict[str, JSONValue]
Test = Callable[[Record], bool]


def test_of(expression: Request) -> Test:
    """Return the test that a record satisfies a SearchExpression; an empty one is satisfied by any.

    Raises:
        ServiceError: ValidationException for an expression that the service refuses.
    """
    if not expression:
        return lambda _: True
    _check_size(expression)
    return _expression(expression)


def _expression(expression: Request) -> Test:
    filters = [_filter(each) for each in cast("list[dict[str, str]]", expression.get("Filters", []))]
    nested = [_nested(each) for each in cast("list[Request]", expression.get("NestedFilters", []))]
    inner = [_expression(each) for each in cast("list[Request]", expression.get("SubExpressions", []))]
    tests = filters + nested + inner
    if not tests:
        raise invalid("A SearchExpression requires at least one filter, nested filter or subexpression.")
    if expression.get("Operator", "And") == "Or":
        return lambda record: any(test(record) for test in tests)
    return lambda record: all(test(record) for test in tests)


def _nested(nested: Request) -> Test:
    """Return the test that one element of a list satisfies every filter."""
    name = str(nested["NestedPropertyName"])
    prefix = f"{name}."
    filters = cast("list[dict[str, str]]", nested["Filters"])
    if strange := [each["Name"] for each in filters if not each["Name"].startswith(prefix)]:
        raise invalid(f"The nested filter {strange[0]} is not a property of {name}.")
    tests = [_filter(each) for each in filters]

    def test(record: Record) -> bool:
        elements = record.get(name)
        some = elements if isinstance(elements, list) else []
        return any(all(each({name: [element]}) for each in tests) for element in some)

    return test


def _filter(raw: dict[str, str]) -> Test:
    name, wanted = raw["Name"], raw.get("Value", "")
    operator = raw.get("Operator", "Equals" if "Value" in raw else "Exists")
    kind = kind_of(name)
    if operator in ORDERED:
        if kind == "text":
            raise invalid(f"The operator {operator} is not supported for {name}, which is text.")
        limit, compare = _number(name, kind, wanted), ORDERED[operator]
        return lambda record: any(
            compare(n, limit) for v in values_of(record, name) if (n := _as_number(v)) is not None
        )
    match operator:
        case "Exists":
            return lambda record: next(values_of(record, name), None) is not None
        case "NotExists":
            return lambda record: next(values_of(record, name), None) is None
        case "Contains":
            return lambda record: any(wanted in str(value) for value in values_of(record, name))
        case "In":
            choices = wanted.split(",")
            return lambda record: any(
                _equal(kind, name, v, each) for v in values_of(record, name) for each in choices
            )
        case "NotEquals":
            return lambda record: (
                not any(_equal(kind, name, value, wanted) for value in values_of(record, name))
            )
    return lambda record: any(_equal(kind, name, value, wanted) for value in values_of(record, name))


def _check_size(expression: Request) -> None:
    """Refuse what the documentation refuses: too many conditions, more than one Contains."""
    conditions = list(_conditions(expression))
    if len(conditions) > MOST_CONDITIONS:
        raise invalid(f"A SearchExpression has at most {MOST_CONDITIONS} filters, not {len(conditions)}.")
    if sum(each.get("Operator") == "Contains" for each in conditions) > 1:
        raise invalid("'CONTAINS' operator usage limit of 1 exceeded.")


def _conditions(expression: Request) -> Iterator[dict[str, str]]:
    yield from cast("list[dict[str, str]]", expression.get("Filters", []))
    for nested in cast("list[Request]", expression.get("NestedFilters", [])):
        yield from cast("list[dict[str, str]]", nested["Filters"])
    for inner in cast("list[Request]", expression.get("SubExpressions", [])):
        yield from _conditions(inner)


# Properties and values


def kind_of(name: str) -> str:
    """Return what a property holds: text, number, time, or either (what a user named: parameters, tags, metrics).

    Raises:
        ServiceError: A training job has no such property.
    """
    first, *rest = name.split(".")
    if first == METRICS and rest:
        return "number"
    if first in {TAGS, "HyperParameters", "Environment"} and rest:
        return "any"
    shape: Shape | None = service("sagemaker").shape_for("TrainingJob")
    for part in (first, *rest):
        while shape is not None and shape.type_name == "list":
            shape = cast("Shape", shape.member)  # type: ignore[attr-defined]
        members = cast("StructureShape", shape).members if shape and shape.type_name == "structure" else {}
        shape = members.get(part)
        if shape is None:
            raise invalid(f"Unknown property {name}: a training job has none of that name to be searched by.")
    assert shape is not None
    if shape.type_name == "timestamp":
        return "time"
    return "number" if shape.type_name in NUMBERS else "text"


def values_of(record: Record, name: str) -> Iterator[JSONValue]:
    """Yield the values of a property, which are several below a list."""
    first, _, rest = name.partition(".")
    if first in {METRICS, TAGS} and rest:
        held, key, value = (
            (TAGS, "Key", "Value") if first == TAGS else ("FinalMetricDataList", "MetricName", "Value")
        )
        for each in cast("list[Request]", record.get(held, [])):
            if each[key] == rest:
                yield each[value]
    elif first == "HyperParameters" and rest:  # a parameter's own name may have dots
        yield from _walk(cast("Record", record.get(first, {})).get(rest), [])
    else:
        yield from _walk(record, name.split("."))


def _walk(value: JSONValue, path: list[str]) -> Iterator[JSONValue]:
    if isinstance(value, list):
        for each in value:
            yield from _walk(each, path)
    elif path:
        yield from _walk(value.get(path[0]) if isinstance(value, dict) else None, path[1:])
    elif value is not None:
        yield value


def _number(name: str, kind: str, text: str) -> float:
    """Read a filter's value as the number or the time that it is compared with."""
    if kind == "time":
        return _time(name, text)
    try:
        return float(text)
    except ValueError:
        raise invalid(f"The value of a filter on {name} is a number, not {text!r}.") from None


def _time(name: str, text: str) -> float:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise invalid(
            f"The value of a filter on {name} is a time such as 2026-01-31T23:59:59, not {text!r}."
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp()


def _as_number(value: JSONValue) -> float | None:
    try:
        return float(cast("str | float", value))
    except (TypeError, ValueError):
        return None


def _equal(kind: str, name: str, value: JSONValue, wanted: str) -> bool:
    if kind in {"number", "time"}:
        return _as_number(value) == _number(name, kind, wanted)
    if isinstance(value, bool):
        return wanted.lower() == str(value).lower()
    if kind == "any" and (number := _as_number(value)) is not None:
        return number == _as_number(wanted)  # 0.10 and 0.1 are one hyperparameter
    return str(value) == wanted
