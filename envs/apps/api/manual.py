"""The documentation that agents query: written from the signatures, so that it cannot be out of date."""

import inspect

from .endpoint import APPS, ApiError, endpoints, find, kind


def manual(topic: str = "") -> str:
    """All apps, one app (``mail``) or one endpoint (``mail.send``). Raises `ApiError` for anything else."""
    if not isinstance(topic, str):
        raise ApiError('docs() takes a text: docs("mail") or docs("mail.send")')
    if not topic:
        return "\n".join(f"{app}: {what}" for app, what in APPS.items())
    if "." not in topic and topic in APPS:
        return "\n".join(endpoint.signature() for endpoint in endpoints(topic).values())
    endpoint = find(topic)
    lines = [endpoint.signature(), inspect.getdoc(endpoint.function) or ""]
    for name, parameter in endpoint.parameters.items():
        optional = "" if parameter.default is inspect.Parameter.empty else f", {parameter.default!r} if left out"
        lines.append(f"  {name}: {kind(parameter.annotation)}{optional}")
    lines.append(f"Returns {_returned(inspect.signature(endpoint.function).return_annotation)}.")
    return "\n".join(lines)


def _returned(annotation: object) -> str:
    return kind(annotation).replace("dict[str, typing.Any]", "dict")
