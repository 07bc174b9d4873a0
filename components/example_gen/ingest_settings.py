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
        encoding: of a manifest; empty for UTF-8, or what its byte order mark says.
        ignore: patterns of paths that are passed over, relative to the data.
        layout: auto, class_per_folder or class_per_inner_folder; see `sources.layout`.
        follow_links: whether links may lead out of the data folder.
        group: column of a manifest, or regular expression over the path, that names the group
            whose images all lie on one side of the split; empty for none.
        sample_range: black and white of samples of more than 8 bits; None for those of the set.
    """

    validation_fraction: float = 0.15
    test_fraction: float = 0.15
    max_pixels: int = 100_000_000
    encoding: str = ""
    ignore: tuple[str, ...] = ()
    layout: str = "auto"
    follow_links: bool = False
    group: str = ""
    sample_range: tuple[float, float] | None = None

    def to_json(self) -> str:
        """Returns the settings as they travel in a component's parameter, keys sorted."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "IngestSettings":
        """Reads what `to_json` wrote.

        Raises:
            TypeError: a key is unknown.
        """
        values = json.loads(text)
        values["ignore"] = tuple(values.get("ignore", ()))  # JSON knows no tuples
        if sample_range := values.get("sample_range"):
            values["sample_range"] = tuple(sample_range)
        return cls(**values)
