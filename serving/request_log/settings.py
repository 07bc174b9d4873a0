"""What is logged of requests, where, and for how long."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models.errors import UsageError

LEAST_BYTES: Final = 128 * 2**20


@dataclass(frozen=True)
class RequestLogSettings:
    """What is logged of requests, where, and for how long.

    Attributes:
        folder: of the log; several servers may share one.
        sample_rate: share of the requests that are written down whole, 0 to 1. Errors always are,
            and every request is counted.
        keep_images: whether the bytes of the images are kept too.
        keep_days: after so many days a file is deleted.
        keep_bytes: what the log may take of the disk; the oldest files go first. Where images are
            kept, they have half of it.
    """

    folder: Path
    sample_rate: float = 1.0
    keep_images: bool = False
    keep_days: float = 30.0
    keep_bytes: int = 2**30

    def __post_init__(self) -> None:
        """Checks the values.

        Raises:
            UsageError: one of them cannot be.
        """
        if not 0.0 <= self.sample_rate <= 1.0:
            raise UsageError(f"The sample rate must be within 0 and 1, and is {self.sample_rate}.")
        if not self.keep_days > 0.0:
            raise UsageError(f"Days to keep the log must be more than 0, not {self.keep_days}.")
        if self.keep_bytes < LEAST_BYTES:
            raise UsageError(
                f"The request log needs {LEAST_BYTES >> 20} MiB at least, and may take "
                f"{self.keep_bytes} bytes."
            )

    @property
    def file_bytes(self) -> int:
        """What the files of the log may take, images left out."""
        return self.keep_bytes // 2 if self.keep_images else self.keep_bytes
