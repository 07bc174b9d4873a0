"""How a run on Kubeflow Pipelines finds what earlier runs left: in folders that all runs share.

Its metadata store takes no questions from a pipeline but for the newest artifact of a type.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tfx.dsl.components.base import base_node
from tfx.types import BaseChannel

from components.code_fingerprint import code_fingerprint
from components.example_gen.ingest_settings import IngestSettings
from components.past_searches.knowledge import Knowledge, KnowledgeFile
from components.pushed_baseline.component import PushedBaseline
from models.errors import UsageError
from models.history import shipped
from pipeline.config import Config
from pipeline.lookups import FoundBaseline, FoundChampion, Nodes
from pipeline.node_names import BASELINE
from pipeline.workspace import Workspace


def kept_histories(config: Config) -> str:
    """Folder or bucket in which the histories of all runs are kept.

    Args:
        config: of the runs.
    """
    return config.knowledge.share or str(Workspace.of(config).knowledge)


class FolderLookups:
    """Looks into the serving directory and the folder of histories, each time a run comes to it."""

    def knowledge(self, config: Config) -> Knowledge:
        """See `Lookups`; names folders, as nobody knows yet what is going to be in them."""
        if config.tuning.algorithm != "warm":
            return Knowledge()
        folders = dict.fromkeys([kept_histories(config), *config.knowledge.paths])
        return Knowledge(
            files=tuple(KnowledgeFile(path=folder, digest="") for folder in folders),
            starter=shipped.starter_version() if config.knowledge.starter else "",
        )

    def past(
        self, config: Config, parameters: Mapping[str, Any], inputs: Mapping[str, BaseChannel]
    ) -> tuple[Nodes, BaseChannel | None]:
        """See `Lookups`: `knowledge` has them."""
        del config, parameters, inputs
        return [], None

    def contents(
        self, path: str, settings: IngestSettings, cache_dir: str, key: str, least: int
    ) -> str:
        """See `Lookups`: the container alone sees the folder, and nothing comes from a cache."""
        del path, settings, cache_dir, key, least
        return ""

    def choice(self, tuner: base_node.BaseNode) -> tuple[Nodes, BaseChannel]:
        """See `Lookups`: nothing is cached, so this run's own is as good as an equal one."""
        return [], tuner.outputs["chosen"]

    def baseline(self, config: Config, candidate: BaseChannel) -> FoundBaseline:
        """See `Lookups`: the newest version that was pushed before this run's."""
        del candidate
        pushed = PushedBaseline(
            directory=str(Path(config.serving_directory)),
            code=code_fingerprint("components.pushed_baseline"),
        ).with_id(BASELINE)
        return FoundBaseline([pushed], {"baseline_model": pushed.outputs["model"]})

    def champion(self, config: Config, examples: BaseChannel, recipe: str) -> FoundChampion:
        """See `Lookups`.

        Raises:
            UsageError: it is asked for, and a served version does not hold the trained model.
        """
        del examples, recipe
        if config.training.start == "champion":
            raise UsageError(
                "On Kubeflow Pipelines a training begins from pretrained weights, as the model to "
                "begin from is found in the metadata of a workspace alone. Set training.start: "
                "pretrained."
            )
        return FoundChampion([], {})
