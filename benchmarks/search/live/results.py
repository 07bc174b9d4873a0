"""Results of the live comparison: a line of JSON for each arm that ended."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from benchmarks.search.live.situation import Outcome


class Key(BaseModel):
    """Which result it is.

    Attributes:
        task: name of the data set.
        digest: of its images and their splits.
        images_a_class: to train and validate on, at most; None for all.
        seed: of the splits and of everything random.
        arm: its name.
        minutes: that it had.
        cores: that it had.
        code: digest of the code.
    """

    model_config = ConfigDict(frozen=True)

    task: str
    digest: str
    images_a_class: int | None
    seed: int
    arm: str
    minutes: float
    cores: int
    code: str


class Result(Outcome):
    """What an arm came to, and which it is.

    Attributes:
        key: which result it is.
        cpu_seconds: of the process, on all cores, with the test images.
    """

    key: Key
    cpu_seconds: float


class ResultFile:
    """Results in the order in which they came; each is on disk before the next arm begins."""

    def __init__(self, path: Path) -> None:
        """Reads what is there; a line that a stop cut short is passed over.

        Args:
            path: of the file, which need not exist.
        """
        self._path = path
        self._results: dict[Key, Result] = {}
        for line in path.read_text().splitlines() if path.exists() else ():
            try:
                result = Result.model_validate_json(line)
            except ValidationError:
                continue
            self._results[result.key] = result

    def get(self, key: Key) -> Result | None:
        """What came of an arm; None where it has not ended."""
        return self._results.get(key)

    def add(self, result: Result) -> None:
        """Takes one more.

        Raises:
            OSError: the disk is full or the file cannot be written.
        """
        self._results[result.key] = result
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a+b") as file:
            # A stop may have left the last line without its end.
            if file.tell() and _last_byte(self._path) != b"\n":
                file.write(b"\n")
            file.write(result.model_dump_json().encode() + b"\n")

    def of(self, keys: Sequence[Key]) -> list[Result]:
        """Those of some keys that are there."""
        return [self._results[key] for key in keys if key in self._results]


def _last_byte(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1)
