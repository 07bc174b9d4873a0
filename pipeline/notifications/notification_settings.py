"""Who is told how a run ended: the section `notifications`."""

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator

from models.settings import Section

Event = Literal["pushed", "not_blessed", "out_of_time", "failed", "findings"]

_ADDRESS = re.compile(r"[^@\s<>,]+@[^@\s<>,]+")


class NotificationSettings(Section):
    """Who is told how a run ended. A message that cannot be sent never fails a run."""

    events: tuple[Event, ...] = ("not_blessed", "out_of_time", "failed", "findings")
    """What is worth a message: how a run ended (pushed, not_blessed, out_of_time, failed), or that
    the data gave reason for a warning or an error (findings)."""
    webhook: str = ""
    """Address, https or http, that is sent a JSON object with `text`, as Slack and Mattermost
    understand it, and `event`, `run_id`, `reason`, `workspace`, `report`, `accuracy` and `version`.
    $NAME stands for an environment variable that holds it, as it is often a secret."""
    email_to: tuple[str, ...] = ()
    """Addresses to write to."""
    email_from: str = ""
    """Address that the mail comes from. Empty: the first of `email_to`."""
    smtp: str = "localhost:25"
    """Mail server, HOST:PORT."""
    smtp_user: str = ""
    """Name to log in with, by TLS; the password is in the environment variable
    GRAFT_SMTP_PASSWORD. Empty: no login."""
    template: str = ""
    """File of a Jinja template for the text, whose first line is the subject of the mail. It knows
    the names that the webhook is sent, and `findings`. Empty: Graft's own."""
    timeout_seconds: Annotated[float, Field(gt=0.0, le=300.0)] = 10.0
    """To wait for the server."""

    @property
    def is_set(self) -> bool:
        """Whether anybody is told anything."""
        return bool(self.webhook or self.email_to)

    @field_validator("webhook")
    @classmethod
    def _address_or_variable(cls, value: str) -> str:
        if value and not re.fullmatch(r"https?://\S+|\$[A-Za-z_]\w*", value):
            raise ValueError("an http or https address, or $NAME of a variable with it")
        return value

    @field_validator("email_to", "email_from")
    @classmethod
    def _mail_addresses(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        for each in (value,) if isinstance(value, str) else value:
            if each and not _ADDRESS.fullmatch(each):
                raise ValueError("addresses such as team@example.com, without names")
        return value

    @field_validator("smtp")
    @classmethod
    def _host_and_port(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if not host or not (port.isascii() and port.isdecimal()) or not 0 < int(port) < 1 << 16:
            raise ValueError("HOST:PORT, such as localhost:25")
        return value
