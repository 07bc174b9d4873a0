"""Which model is watched, and where what is known of it lies."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from components.pusher.push import pushed_versions
from models.errors import GraftError, UsageError
from models.observation.reference import REFERENCE, Reference, read_reference
from models.storage.seals import EXTRA
from monitoring.decision import DecisionSettings
from monitoring.evidence.drift_settings import DriftSettings
from pipeline.config import Config
from pipeline.served_model import Served
from pipeline.workspace import Workspace
from serving.rollout.state import RolloutFile

_HOUR: Final = 3_600.0


@dataclass(frozen=True)
class Watched:
    """A served model.

    Attributes:
        name: in the serving API.
        directory: of its versions.
        runs: folder of the runs.
        log: folder of the request log.
        folder: for what the monitor leaves.
        labelled: folder of the images of requests that were labelled.
        page: HTML file that it writes.
        gateway: folder of the gateway, whether there is one or not.
        drift: how sure an alarm has to be.
        decision: when to act.
    """

    name: str
    directory: Path
    runs: Path
    log: Path
    folder: Path
    labelled: Path
    page: Path
    gateway: Path
    drift: DriftSettings
    decision: DecisionSettings
    _known: dict[int, Reference] = field(default_factory=dict, repr=False)

    def version(self) -> int:
        """The version that users get: the gateway's stable one, else the newest.

        Raises:
            UsageError: none was pushed.
        """
        pushed = pushed_versions(self.directory)
        if not pushed:
            raise UsageError(f"No model was pushed to {self.directory} yet: graft run --data DIR")
        rollout = RolloutFile(self.gateway).read() if self.gateway.is_dir() else None
        return rollout.stable if rollout and rollout.stable in pushed else max(pushed)

    def reference(self, version: int) -> Reference | None:
        """What the version answered before it was pushed; None where that is not known."""
        if version not in self._known:
            try:
                self._known[version] = read_reference(_reference_file(self.directory, version))
            except GraftError:
                return None
        return self._known[version]


def watched(config: Config, model: Served) -> Watched:
    """What `graft monitor` watches in a workspace."""
    workspace, settings = Workspace.of(config), model.monitoring
    return Watched(
        model.name,
        model.directory,
        workspace.runs,
        workspace.requests,
        workspace.monitoring,
        workspace.labelled_requests,
        workspace.health_page,
        workspace.gateway,
        DriftSettings(alpha=settings.false_alarms),
        DecisionSettings(harm=settings.harm, cooldown=settings.cooldown_hours * _HOUR),
    )


def _reference_file(directory: Path, version: int) -> Path:
    return directory / str(version) / EXTRA / REFERENCE
