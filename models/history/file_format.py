"""What is wrong with the content of a file that anybody may have written, in words."""

from pydantic import BaseModel, ValidationError


class _Signature(BaseModel):
    format: str
    version: int


def format_fault(content: bytes, format_name: str, what: str) -> str | None:
    """Says why an object is not of version 1 of a format; None where it is.

    Args:
        content: a JSON object.
        format_name: that its key `format` has to hold.
        what: it ought to be, for people.
    """
    try:
        signature = _Signature.model_validate_json(content, strict=True)
    except ValidationError:
        return f"not a {what} of Graft, or cut short"
    if signature.format != format_name:
        return f"not a {what} of Graft"
    if signature.version != 1:
        return (
            f"format version {signature.version}, but this Graft reads version 1; read it with "
            "the Graft that wrote it, or update this one"
        )
    return None


def first_fault(error: ValidationError, whole: str) -> str:
    """The first field that does not fit, and why; `whole` where it is none in particular."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"]) or whole
    return f"{place}: {first['msg']}"
