"""Checks that ingest did not refuse too many images, or all of a class, nor met damaged files."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from components.artifact_names import INGEST_FILE, QUARANTINE_FILE
from components.findings import Finding
from components.image_validator.validation_settings import ValidationSettings, override
from models.wording import listed

_TOLD = 3


def check_quarantine(uri: str, settings: ValidationSettings) -> list[Finding]:
    """Runs every check of this module.

    Args:
        uri: of a Quarantine artifact.
        settings: severities and the limit.
    """
    ingest = json.loads((Path(uri) / INGEST_FILE).read_text(encoding="utf-8"))
    lines = (Path(uri) / QUARANTINE_FILE).read_text(encoding="utf-8").split("\n")
    left_out = [json.loads(line) for line in lines if line]
    findings = _share(ingest, [row for row in left_out if row["fate"] == "refused"], settings)
    hidden = [row for row in left_out if row["fate"] == "unknown"]
    folders = [row for row in hidden if row["name"].endswith("/")]
    findings += _closed(folders, settings)
    findings += _unknown([row for row in hidden if row not in folders], settings)
    findings += _empty([row for row in left_out if row["code"] == "empty_class"], settings)
    return findings + _lost(ingest["lost_classes"], settings)


def _lost(labels: list[str], settings: ValidationSettings) -> list[Finding]:
    """Says which classes have no image that could be read."""
    if not labels:
        return []
    named = listed([f'"{label}"' for label in labels], _TOLD)
    message = (
        f"class {named} has no image left: every one was refused at ingest."
        if len(labels) == 1
        else f"{len(labels)} classes have no image left ({named}): every one was refused at ingest."
    )
    mend = "Mend them or remove the class. " + override("too_few_images")
    return settings.finding("too_few_images", message, [], mend)


def _share(
    ingest: dict[str, Any], refused: list[dict[str, Any]], settings: ValidationSettings
) -> list[Finding]:
    """Compares the share of refused images with the limit.

    What was passed over was never meant to be an image, and what a damaged container hides cannot
    be counted.
    """
    total = ingest["images"] + len(refused)
    share = len(refused) / max(total, 1)
    if share <= settings.max_quarantined:
        return []
    codes = Counter(row["code"] for row in refused).most_common()
    reasons = ", ".join(f"{count} {code}" for code, count in codes)
    reason, count = Counter(row["reason"] for row in refused).most_common(1)[0]
    message = (
        f"{len(refused)} of {total} images ({share:.1%}) were refused at ingest, more "
        f"than validation.max_quarantined: {settings.max_quarantined:g} ({reasons}). Most "
        f"often, of {count}: {reason}."
    )
    mend = "Mend or remove them, or raise that number. " + override("too_many_quarantined")
    return settings.finding("too_many_quarantined", message, [row["name"] for row in refused], mend)


def _closed(folders: list[dict[str, Any]], settings: ValidationSettings) -> list[Finding]:
    """Says which folders were not looked into, which may be whole classes."""
    if not folders:
        return []
    message = (
        f"{len(folders)} {'folder was' if len(folders) == 1 else 'folders were'} not looked into, "
        f"so that what is in there is unknown ({_told(folders)})."
    )
    mend = "Mend that, or leave them out with data.ignore. " + override("damaged_container")
    return settings.finding("damaged_container", message, [row["name"] for row in folders], mend)


def _empty(folders: list[dict[str, Any]], settings: ValidationSettings) -> list[Finding]:
    """Says which class folders hold no image; the model will not know these classes."""
    if not folders:
        return []
    message = (
        f"{len(folders)} class {'folder holds' if len(folders) == 1 else 'folders hold'} no image, "
        f"so that no model learns such a class ({_told(folders)})."
    )
    mend = "Add images or remove them. " + override("too_few_images", "ignore")
    return settings.hint("too_few_images", message, [row["name"] for row in folders], mend)


def _told(rows: list[dict[str, Any]]) -> str:
    told = "; ".join(f"{row['name']}: {row['reason']}" for row in rows[:_TOLD])
    return told + "; …" * (len(rows) > _TOLD)


def _unknown(damaged: list[dict[str, Any]], settings: ValidationSettings) -> list[Finding]:
    """Says which containers are damaged: how much of the data they hide, nobody knows."""
    if not damaged:
        return []
    message = (
        f"{len(damaged)} of the TFRecord files {'is' if len(damaged) == 1 else 'are'} damaged or "
        f"missing ({_told(damaged)})."
    )
    mend = "Copy or write them again, or remove them. " + override("damaged_container")
    return settings.finding("damaged_container", message, [row["name"] for row in damaged], mend)
