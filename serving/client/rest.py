"""One attempt over REST."""

import base64
import json
import os
import ssl
import urllib.parse
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final

import httpx

from serving.client.address import Address
from serving.client.answers import CLASS_INPUT, EXPLAINED, INPUT, LIKELIEST
from serving.client.errors import (
    HINT,
    PredictionError,
    RequestRefusedError,
    UnansweredError,
    Why,
)
from serving.client.options import API_KEY_HEADER, MOST_ANSWER_BYTES, REQUEST_ID_HEADER, Options
from serving.client.trust import ASKED_HINT, fault_of_tls, trusted

_BUSY: Final = (
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
_REFUSED: Final = (HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
_MOST_WORDS: Final = 500
_NO_HTTP: Final = "illegal"
"""In what h11 says of a first line that is none."""


class RestTransport:
    """Asks over REST, on connections that are kept."""

    def __init__(self, address: Address, model_name: str, options: Options) -> None:
        """Takes the same arguments as the clients; connects when it is first asked.

        Raises:
            UsageError: a file of certificates cannot be used.
        """
        self._where = address.text
        self._url = address.target + _path(model_name, options)
        # The alert that tells of it may be lost with the connection.
        shows_none = address.is_encrypted and not options.get("certificate")
        self._hint = f" {ASKED_HINT}" if shows_none else ""
        self._headers = {"content-type": "application/json", "accept-encoding": "identity"}
        if key := options.get("api_key"):
            self._headers[API_KEY_HEADER] = key
        self._http = httpx.AsyncClient(
            verify=trusted(options) if address.is_encrypted else False,
            timeout=None,  # the caller has a deadline for all of it
            limits=httpx.Limits(max_connections=None),
            trust_env=False,
        )

    async def ask(
        self, images: Sequence[bytes], request_id: str, _: float, *, explain: bool
    ) -> Mapping[str, Any]:
        """Asks once.

        Args:
            images: encoded.
            request_id: for the logs of all that the request goes through.
            explain: whether to ask where the model saw the likeliest class.

        Raises:
            UnansweredError: another attempt may be answered.
            RequestRefusedError: the server cannot do with the images.
            PredictionError: there is no answer, and none to hope for.
        """
        encoded = [{"b64": base64.b64encode(image).decode("ascii")} for image in images]
        document: dict[str, Any] = {"inputs": {INPUT: encoded}}
        if explain:
            document["signature_name"] = EXPLAINED
            document["inputs"][CLASS_INPUT] = [LIKELIEST] * len(images)
        body = json.dumps(document).encode()
        headers = {**self._headers, REQUEST_ID_HEADER: request_id}
        try:
            async with self._http.stream(
                "POST", self._url, content=body, headers=headers
            ) as response:
                content = await self._read(response)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise self._unreached(error) from error
        except ssl.SSLError as error:  # such as an alert that comes after the handshake
            raise PredictionError(fault_of_tls(self._where, error)) from error
        except (httpx.TransportError, httpx.StreamError) as error:
            reason = str(error) or "it was closed"
            if _NO_HTTP in reason:
                reason += "; of a gRPC port the address begins with grpc:// or grpcs://"
            words = f"The connection to {self._where} broke before the answer was there ({reason})."
            raise UnansweredError(Why.BROKEN, PredictionError(words + self._hint)) from error
        return self._checked(response, content)

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def _read(self, response: httpx.Response) -> bytes:
        """Reads a body as it comes: what is packed may be anything once it is unpacked."""
        parts, size = [], 0
        async for part in response.aiter_raw():
            size += len(part)
            if size > MOST_ANSWER_BYTES:
                raise PredictionError(
                    f"What answers at {self._where} is no model server: it sends more than "
                    f"{MOST_ANSWER_BYTES:,} bytes."
                )
            parts.append(part)
        return b"".join(parts)

    def _unreached(self, error: httpx.TransportError) -> Exception:
        if (tls := _of_tls(error)) is not None:
            return PredictionError(fault_of_tls(self._where, tls))
        final = PredictionError(f"No server answers at {self._where} ({_reason(error)}). {HINT}")
        return UnansweredError(Why.UNREACHED, final)

    def _checked(self, response: httpx.Response, content: bytes) -> Mapping[str, Any]:
        document = _parsed(content)
        status = response.status_code
        if status != HTTPStatus.OK:
            said = document.get("error") if isinstance(document, dict) else None
            if response.has_redirect_location:
                elsewhere = response.headers["location"]
                said = f"it sends on to {elsewhere}. Is that the address to give?"
            reason = str(said or "no reason given")[:_MOST_WORDS]
            words = f"The server at {self._where} answers {status}: {reason}"
            if status in _BUSY:
                wait = _seconds(response.headers.get("retry-after", ""))
                raise UnansweredError(Why.BUSY, PredictionError(words), wait)
            raise (RequestRefusedError if status in _REFUSED else PredictionError)(words)
        outputs = document.get("outputs") if isinstance(document, dict) else None
        if not isinstance(document, dict):
            raise PredictionError(f"What answers at {self._where} is no model server.")
        if not isinstance(outputs, dict):
            raise PredictionError(f"The model at {self._where} is no model of Graft's.")
        return outputs


def _path(model_name: str, options: Options) -> str:
    version, label = options.get("version"), options.get("label")
    which = f"/versions/{version}" if version is not None else ""
    which = f"/labels/{urllib.parse.quote(label, safe='')}" if label is not None else which
    return f"/v1/models/{urllib.parse.quote(model_name, safe='')}{which}:predict"


def _of_tls(error: BaseException) -> ssl.SSLError | None:
    below = error.__cause__ or error.__context__
    if isinstance(error, ssl.SSLError):
        return error
    return None if below is None else _of_tls(below)


def _reason(error: BaseException) -> str:
    """What the system said, which lies at the bottom."""
    below = error.__cause__ or error.__context__
    if below is not None:
        return _reason(below)
    number = error.errno if isinstance(error, OSError) else None
    # asyncio has words of its own in place of the system's, but for a name that is not known.
    return os.strerror(number) if number and number > 0 else str(error)


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _seconds(retry_after: str) -> float:
    """Reads the header Retry-After: seconds, or a date."""
    if retry_after.isdecimal():
        return float(retry_after[:9])
    try:
        moment = parsedate_to_datetime(retry_after)
    except ValueError:
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return max((moment - datetime.now(timezone.utc)).total_seconds(), 0.0)
