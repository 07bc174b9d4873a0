"""Sends the message about a run that ended."""

import os
import smtplib
import ssl
from collections.abc import Mapping
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Final

import httpx

from pipeline.config import Config
from pipeline.deadline import within
from pipeline.notifications.message import TemplateFileError, message_text
from pipeline.notifications.notification_settings import NotificationSettings
from pipeline.run_folder import REPORT

_PASSWORD: Final = "GRAFT_SMTP_PASSWORD"
_LONGEST_SUBJECT: Final = 200
_Refused = dict[str, tuple[int, bytes]]
"""Addresses, and what a mail server answered to each."""


def notify(config: Config, told: Mapping[str, Any], folder: Path) -> list[str]:
    """Tells those who want to know of it how a run ended.

    Args:
        config: of the run.
        told: its `summary.json`.
        folder: of the run.

    Returns:
        What could not be sent, a sentence each.
    """
    settings = config.notifications
    event = _event(told, settings)
    if event is None or not settings.is_set:
        return []
    try:
        values = _values(config, told, folder, event)
        text = message_text(settings.template, values)
    except TemplateFileError as error:
        return [f"The template cannot be used: {error}."]
    failures = []
    if settings.webhook:
        failures.append(_post(settings, {"text": text} | values))
    if settings.email_to:
        failures.append(_mail(settings, text))
    return [failure for failure in failures if failure]


def _event(told: Mapping[str, Any], settings: NotificationSettings) -> str | None:
    """What is worth a message; None for nothing."""
    if told["status"] in settings.events:
        return str(told["status"])
    if told["status"] == "stage_done":
        # Each later stage knows the findings too; the run that ends them all tells once.
        return None
    counts = told["data"]["findings"]["counts"]
    has_findings = bool(counts.get("error") or counts.get("warning"))
    return "findings" if has_findings and "findings" in settings.events else None


def _values(config: Config, told: Mapping[str, Any], folder: Path, event: str) -> dict[str, Any]:
    return {
        "event": event,
        "status": told["status"],
        "run_id": told["run_id"],
        "reason": told["reason"],
        "workspace": str(config.workspace_path),
        "report": str(folder / REPORT),
        "accuracy": told["metrics"]["accuracy"],
        "version": told["model"]["version"],
        "findings": told["data"]["findings"]["words"],
    }


def _post(settings: NotificationSettings, body: Mapping[str, Any]) -> str:
    """Returns why it could not be sent; empty where it was. The address, a secret, is not told."""
    address = settings.webhook
    if address.startswith("$"):
        address = os.environ.get(address[1:], "")
        if not address:
            return f"The webhook was not called: the variable {settings.webhook} is empty."
    try:
        status = within(settings.timeout_seconds, lambda: _status(address, body, settings))
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, UnicodeError) as error:
        return f"The webhook was not called: {type(error).__name__}."
    if httpx.codes.is_redirect(status):
        return (
            f"The webhook answered {status}, which leads to another address, and nobody was told: "
            "give that address in notifications.webhook."
        )
    return "" if httpx.codes.is_success(status) else f"The webhook answered {status}."


def _status(address: str, body: Mapping[str, Any], settings: NotificationSettings) -> int:
    # What is said beside the status is not read: it may be without end.
    with httpx.stream("POST", address, json=dict(body), timeout=settings.timeout_seconds) as answer:
        return answer.status_code


def _mail(settings: NotificationSettings, text: str) -> str:
    message = EmailMessage()
    subject, _, rest = text.partition("\n")
    message["Subject"] = "".join(filter(str.isprintable, subject))[:_LONGEST_SUBJECT]
    message["From"] = settings.email_from or settings.email_to[0]
    message["To"] = ", ".join(settings.email_to)
    message.set_content(rest.strip() or subject)
    try:
        refused = within(settings.timeout_seconds, lambda: _hand_over(settings, message))
    except smtplib.SMTPRecipientsRefused as error:
        refused = error.recipients
    except (OSError, UnicodeError, smtplib.SMTPException) as error:
        return f"The mail was not sent: {error}."
    if not refused:
        return ""
    reasons = (
        f"{address} ({code} {reason.decode('utf-8', 'replace')})"
        for address, (code, reason) in refused.items()
    )
    return f"The mail server does not take mail to {', '.join(reasons)}."


def _hand_over(settings: NotificationSettings, message: EmailMessage) -> _Refused:
    """Returns those to whom the server sends nothing, where it takes the mail for others."""
    host, _, port = settings.smtp.rpartition(":")
    with smtplib.SMTP(host, int(port), timeout=settings.timeout_seconds) as server:
        if settings.smtp_user:
            server.starttls(context=ssl.create_default_context())
            server.login(settings.smtp_user, os.environ.get(_PASSWORD, ""))
        return server.send_message(message)
