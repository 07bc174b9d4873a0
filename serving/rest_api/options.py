"""How the REST API answers."""

from dataclasses import dataclass
from typing import Final

API: Final = "/v1/"
"""What the paths of the API begin with."""
LIVE: Final = "/livez"
READY: Final = "/readyz"


@dataclass(frozen=True)
class RestOptions:
    """How the REST API answers.

    Attributes:
        timeout_seconds: time from a whole request to its answer.
        cors: whether pages of other sites may use it.
        metrics_path: where the page of metrics is; None for no page.
    """

    timeout_seconds: float = 30.0
    cors: bool = False
    metrics_path: str | None = None
