"""Checks that ingest did not refuse too many images, or all of a class."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from components.findings import Finding
from components.image_validator.settings import ValidationSettings, override


def check_quarantine(uri: str, settings: ValidationSettings) -> list[Finding]:
    """Runs every check of this module.

    Args:
        uri: of a Quarantine artifact.
        settings: severities and the limit.
    """
    ingest = json.loads((Path(uri) / "ingest.json").read_text(encoding="utf-8"))
    findings = _share(uri, ingest, settings)
    for label in ingest["lost_classes"]:
        message = (
            f'class "{label}" has no image left: every one was refused at ingest. Mend them or '
            "remove the class. " + override("too_few_images")
        )
        findings += settings.finding("too_few_images", message, [])
    return findings


def _share(uri: str, ingest: dict[str, Any], settings: ValidationSettings) -> list[Finding]:
    """Compares the share of refused images with the limit."""
    total = ingest["images"] + ingest["quarantined"]
    share = ingest["quarantined"] / max(total, 1)
    if share <= settings.max_quarantined:
        return []
    lines = (Path(uri) / "quarantine.jsonl").read_text(encoding="utf-8").split("\n")
    refused = [json.loads(line) for line in lines if line]
    codes = Counter(row["code"] for row in refused).most_common()
    reasons = ", ".join(f"{count} {code}" for code, count in codes)
    message = (
        f"{ingest['quarantined']} of {total} images ({share:.1%}) were refused at ingest, more "
        f"than validation.max_quarantined: {settings.max_quarantined:g} ({reasons}). Mend or "
        "remove them, or raise that number. " + override("too_many_quarantined")
    )
    return settings.finding("too_many_quarantined", message, [row["name"] for row in refused])
