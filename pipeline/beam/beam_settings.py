"""Where Beam's stages run: the section `beam`."""

from collections.abc import Iterable, Iterator
from typing import Final

from pydantic import ValidationInfo, field_validator

from components.beam_worker import IN_THIS_PROCESS
from models.search.workers.address import check_address
from models.settings import Section

# Beam's own choice tries to download a binary first.
_RUNNER: Final = "--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner"
# Without a container's name TFX packs itself into an archive for remote workers.
_NO_CONTAINER: Final = "--sdk_container_image=none"
_PLACES: Final = ("--runner", "--direct_running_mode", "--direct_num_workers")
"""Arguments that say where the work is done."""


class BeamSettings(Section):
    """On which machines ingest, embedding, statistics and evaluation run."""

    workers: tuple[str, ...] = ()
    """HOST:PORT of worker pools (`python -m apache_beam.runners.worker.worker_pool_main
    --service_port PORT`) on machines that see the data and the workspace at the same paths, with
    the same Graft. Beam neither encrypts nor authenticates: in a closed network alone. Empty: the
    process of the run."""
    args: tuple[str, ...] = ()
    """Arguments to Beam, each as --NAME=VALUE, such as those of Dataflow, Flink or Spark
    (docs/OPERATIONS.md). Without a runner among them, the process of the run does the work."""

    @field_validator("workers")
    @classmethod
    def _reachable(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(value):
            raise ValueError("HOST:PORT for each worker pool")
        if len(set(value)) < len(value):
            raise ValueError("each worker pool once")
        return tuple(map(check_address, value))

    @field_validator("args")
    @classmethod
    def _flags(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if not all(each.startswith("--") for each in value):
            raise ValueError("arguments that begin with --, each with its value after =")
        if info.data.get("workers") and _any_of(value, *_PLACES):
            raise ValueError("no runner of its own beside beam.workers, which have one")
        return value

    @property
    def arguments(self) -> list[str]:
        """All arguments of Beam."""
        return [_NO_CONTAINER, *self._place(), *self.args]

    def _place(self) -> Iterator[str]:
        if self.workers:
            # By name, as importing it brings Beam.
            yield f"--runner={__package__}.worker_pools.WorkerPoolRunner"
            yield from (f"--worker_pool={each}" for each in self.workers)
            return
        if not _any_of(self.args, "--runner"):
            yield _RUNNER
        if not _any_of(self.args, *_PLACES):
            yield IN_THIS_PROCESS


def _any_of(arguments: Iterable[str], *names: str) -> bool:
    return any(each.partition("=")[0] in names for each in arguments)
