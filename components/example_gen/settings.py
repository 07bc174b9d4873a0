"""The values of the configuration that ingest needs."""

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class IngestSettings:
    """How images are split and which are refused.

    Attributes:
        validation_fraction: share of each class for validation, where the data has none.
        test_fraction: share of each class for the test, where the data has none.
        max_pixels: images with more pixels are refused.
    """

    validation_fraction: float = 0.15
    test_fraction: float = 0.15
    max_pixels: int = 100_000_000

    def to_json(self) -> str:
        """Returns the settings as they travel in a component's parameter, keys sorted."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "IngestSettings":
        """Reads what `to_json` wrote.

        Raises:
            TypeError: a key is unknown.
        """
        return cls(**json.loads(text))
