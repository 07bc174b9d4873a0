"""A name for what JSON says, by which what was made from it is found again."""

import hashlib
import json


def json_digest(parts: object) -> str:
    """Names what JSON says, whatever the order of its keys: 32 hex digits."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]
