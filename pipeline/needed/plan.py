"""What `graft run --if-needed` is going to do."""

import time
from dataclasses import dataclass

from pipeline.config import Config
from pipeline.needed.labelled_requests import labelled_digest, with_labelled
from pipeline.needed.need import need
from pipeline.needed.retrainings import Retraining, Standing, note_retraining, retrainings
from pipeline.workspace import Workspace


@dataclass(frozen=True)
class Plan:
    """A run, or none.

    Attributes:
        config: what to run.
        needed: whether to run at all.
        reason: why or why not, one sentence.
        waits_for: exit code of the last run, which failed and is not tried again yet; None where
            nothing is waited for.
        retrain: the decision that it acts on; None for none.
        trained_on: digest of the labelled requests that it learns from; empty for none.
    """

    config: Config
    needed: bool = True
    reason: str = ""
    waits_for: int | None = None
    retrain: Standing | None = None
    trained_on: str = ""

    def note(self, workspace: Workspace, run_id: str) -> None:
        """Notes that the decision is acted on, before anything can go wrong: once an episode.

        Raises:
            GraftError: the list of retrainings is damaged.
            OSError: it cannot be written.
        """
        if self.retrain is not None:
            made = Retraining(self.retrain.episode, time.time(), run_id, self.trained_on)
            note_retraining(workspace.monitoring, made)


def planned(config: Config, workspace: Workspace) -> Plan:
    """Looks whether a run is needed, and on what data.

    After a first retraining, every run learns from the labelled requests too: else the next change
    of the data would undo it.

    Args:
        config: of the user.
        workspace: held by this process.

    Raises:
        GraftError: the data cannot be listed, or a file of the monitor is damaged.
        OSError: the data cannot be looked at.
    """
    folder = workspace.labelled_requests
    labelled = labelled_digest(folder)
    found = need(config, workspace, labelled)
    if not found.needed:
        return Plan(config, needed=False, reason=found.reason, waits_for=found.waits_for)
    if found.retrain and config.training.start == "auto":
        # What it served with is what does not fit any more.
        anew = config.training.model_copy(update={"start": "pretrained"})
        config = config.model_copy(update={"training": anew})
    if labelled and (found.retrain or retrainings(workspace.monitoring)):
        config = with_labelled(config, folder)
        return Plan(config, True, found.reason, None, found.retrain, labelled)
    return Plan(config, True, found.reason, None, found.retrain)
