"""Where Beam's stages run: the section `beam`."""

from collections.abc import Iterable
from typing import Final

from pydantic import ValidationInfo, field_validator

from components.example_gen.worker import IN_THIS_PROCESS
from models.search.workers.address import check_address
from models.settings import Section

_ALONE: Final = (
    # The default runner tries to download a binary first.
    "--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner",
    IN_THIS_PROCESS,
)
_ALWAYS: Final = (
    # Without a container's name TFX packs itself into an archive for remote workers.
    "--sdk_container_image=none",
)


class BeamSettings(Section):
    """On which machines ingest, statistics and evaluation run."""

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
        if info.data.get("workers") and _has_runner(value):
            raise ValueError("no runner of its own beside beam.workers, which have one")
        return value

    @property
    def arguments(self) -> list[str]:
        """All arguments of Beam."""
        # By name, as importing it brings Beam.
        runner = f"--runner={__package__}.worker_pools.WorkerPoolRunner"
        pools = [runner, *(f"--worker_pool={each}" for each in self.workers)]
        if self.workers:
            return [*_ALWAYS, *pools, *self.args]
        return [*_ALWAYS, *(() if _has_runner(self.args) else _ALONE), *self.args]


def _has_runner(arguments: Iterable[str]) -> bool:
    """Whether the arguments say where Beam's work is done."""
    return any(
        each.partition("=")[0] in ("--runner", "--direct_running_mode", "--direct_num_workers")
        for each in arguments
    )
