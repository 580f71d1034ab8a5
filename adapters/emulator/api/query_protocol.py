"""The query protocol of IAM and STS: forms in, XML out."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from wpfsm.adapters.emulator.api.wire import Answer
from wpfsm.adapters.emulator.engine.errors import ServiceError
from wpfsm.adapters.emulator.engine.records import Request
from wpfsm.adapters.emulator.engine.service_model import operation as operation_model
from wpfsm.adapters.emulator.engine.service_model import service as service_model
from wpfsm.adapters.emulator.runner.base import JSONValue

if TYPE_CHECKING:
    from botocore.model import Shape, StructureShape

Form = dict[str, str]
REQUEST_ID = "00000000-0000-4000-8000-000000000000"


def read_form(body: bytes) -> Form:
    """Return the fields of a form."""
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def read_request(service: str, operation: str, form: Form) -> JSONValue:
    """Return the request that a form holds, nested as the service's model says."""
    model = operation_model(service, operation)
    shape = model.input_shape if model else None
    return _value(shape, form, "") if shape is not None else {}


def _value(shape: Shape, form: Form, path: str) -> JSONValue:
    if shape.type_name == "structure":
        members = cast("StructureShape", shape).members
        found = {n: _value(m, form, f"{path}.{n}".lstrip(".")) for n, m in members.items()}
        held: Request = {name: value for name, value in found.items() if value is not None}
        return held or (None if path else {})
    if shape.type_name == "list":
        items: list[JSONValue] = []
        while (item := _value(shape.member, form, f"{path}.member.{len(items) + 1}")) is not None:  # type: ignore[attr-defined]
            items.append(item)
        return items or None
    text = form.get(path)
    if text is None:
        return None
    if shape.type_name in {"integer", "long"}:
        return int(text) if text.lstrip("-").isdigit() else text
    return text == "true" if shape.type_name == "boolean" else text


def answer(service: str, operation: str, result: Request) -> Answer:
    """Return a result in XML."""
    namespace = service_model(service).metadata["xmlNamespace"]
    body = (
        f'<{operation}Response xmlns="{namespace}"><{operation}Result>{_xml(result)}</{operation}Result>'
        f"<ResponseMetadata><RequestId>{REQUEST_ID}</RequestId></ResponseMetadata></{operation}Response>"
    )
    return Answer(200, body.encode(), "text/xml")


def refusal(error: ServiceError) -> Answer:
    """Return an error in XML."""
    body = (
        f"<ErrorResponse><Error><Type>Sender</Type><Code>{escape(error.code)}</Code>"
        f"<Message>{escape(error.message)}</Message></Error><RequestId>{REQUEST_ID}</RequestId></ErrorResponse>"
    )
    return Answer(error.status, body.encode(), "text/xml")


def _xml(value: JSONValue) -> str:
    if isinstance(value, dict):
        return "".join(f"<{name}>{_xml(inner)}</{name}>" for name, inner in value.items())
    if isinstance(value, list):
        return "".join(f"<member>{_xml(inner)}</member>" for inner in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return escape(str(value))
