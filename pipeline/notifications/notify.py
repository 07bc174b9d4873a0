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
from pipeline.notifications.message import TemplateFileError, message_text
from pipeline.notifications.notification_settings import NotificationSettings
from pipeline.run_folder import REPORT

_PASSWORD: Final = "GRAFT_SMTP_PASSWORD"
_ERROR_STATUS: Final = 400
_LONGEST_SUBJECT: Final = 200


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
        answer = httpx.post(address, json=dict(body), timeout=settings.timeout_seconds)
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        return f"The webhook was not called: {type(error).__name__}."
    if answer.status_code >= _ERROR_STATUS:
        return f"The webhook answered {answer.status_code}."
    return ""


def _mail(settings: NotificationSettings, text: str) -> str:
    message = EmailMessage()
    subject, _, rest = text.partition("\n")
    message["Subject"] = "".join(filter(str.isprintable, subject))[:_LONGEST_SUBJECT]
    message["From"] = settings.email_from or settings.email_to[0]
    message["To"] = ", ".join(settings.email_to)
    message.set_content(rest.strip() or subject)
    host, _, port = settings.smtp.rpartition(":")
    try:
        with smtplib.SMTP(host, int(port), timeout=settings.timeout_seconds) as server:
            if settings.smtp_user:
                server.starttls(context=ssl.create_default_context())
                server.login(settings.smtp_user, os.environ.get(_PASSWORD, ""))
            server.send_message(message)
    except (OSError, smtplib.SMTPException) as error:
        return f"The mail was not sent: {error}."
    return ""
