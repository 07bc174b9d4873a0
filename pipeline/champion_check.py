"""Whether the training can begin from the last blessed model, asked before anything runs."""

from pathlib import Path

from components.artifact_names import SERVING_FOLDER
from components.blessed_models import blessed_models
from models.training.model_description import check_fit, read_description
from pipeline.config import Config
from pipeline.metadata_place import open_store, place_of
from pipeline.workspace import Workspace


def check_champion(config: Config, workspace: Workspace) -> None:
    """Refuses what the trainer would refuse after minutes.

    Args:
        config: the effective configuration.
        workspace: held by this process, with a metadata store that is whole.

    Raises:
        UsageError: `training.start: champion`, and the last blessed model has another backbone or
            image size than any that may be trained.
        GraftError: that model does not say what it is.
    """
    if config.training.start != "champion" or not place_of(workspace).is_there:
        return
    models = blessed_models(open_store(workspace, writes=False))
    if not models:
        return
    described = read_description(Path(models[0].uri) / SERVING_FOLDER)
    candidates = config.model.resolved_candidates
    if not any(described.is_of(each.backbone, each.image_size) for each in candidates):
        check_fit(described, candidates[0].backbone, candidates[0].image_size)
