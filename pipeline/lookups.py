"""How a run finds what earlier runs left: in ML Metadata, where this machine holds it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tfx.dsl.components.base import base_node
from tfx.dsl.components.common import resolver
from tfx.types import BaseChannel, Channel, standard_artifacts

from components.artifact_types import BackboneChoice, TuningHistory
from components.baseline_resolver import BaselineStrategy
from components.champion_resolver import ChampionStrategy
from components.example_gen.ingest_settings import IngestSettings
from components.past_searches.knowledge import Knowledge, find_knowledge
from components.past_searches.past_searches_resolver import PastSearchesStrategy
from components.tuner.chosen_backbone_resolver import ChosenBackboneStrategy
from components.unlabelled_images.unlabelled_folder import read_folder
from pipeline.config import Config
from pipeline.knowledge.history_places import forgotten, places
from pipeline.node_names import BASELINE, CHAMPION, CHOSEN_BACKBONE, PAST_SEARCHES, SEARCH
from pipeline.workspace import Workspace

Nodes = list[base_node.BaseNode]


@dataclass(frozen=True)
class FoundBaseline:
    """What a candidate is compared with.

    Attributes:
        nodes: that look for it.
        inputs: of Judge: `baseline_model` and, where it is known, `baseline_examples`.
    """

    nodes: Nodes
    inputs: dict[str, BaseChannel]


@dataclass(frozen=True)
class FoundChampion:
    """What a training begins from.

    Attributes:
        nodes: that look for it.
        inputs: of Trainer: `champion` and, where it is known, `champion_examples`; none for
            pretrained weights.
    """

    nodes: Nodes
    inputs: dict[str, BaseChannel]


class Lookups(Protocol):
    """Nodes that look the past up, and the channels that they give."""

    def knowledge(self, config: Config) -> Knowledge:
        """The histories of other searches, as Tuner takes them."""

    def past(
        self, config: Config, parameters: Mapping[str, Any], inputs: Mapping[str, BaseChannel]
    ) -> tuple[Nodes, BaseChannel | None]:
        """The histories of the earlier runs; None where `knowledge` has them.

        Args:
            config: of the run.
            parameters: of the search.
            inputs: of the search.
        """

    def contents(
        self, path: str, settings: IngestSettings, cache_dir: str, key: str, least: int
    ) -> str:
        """What tells whether a folder of images without labels is as it was.

        Args:
            path: of the folder.
            settings: what is passed over.
            cache_dir: where digests are remembered.
            key: of the configuration that names the folder, for messages.
            least: images that can be used, or it is refused.

        Raises:
            BadDataError: it is no folder, or holds too few images that can be used.
            OSError: the memory of digests cannot be written.
        """

    def choice(self, tuner: base_node.BaseNode) -> tuple[Nodes, BaseChannel]:
        """The backbone that the search chose."""

    def baseline(self, config: Config, candidate: BaseChannel) -> FoundBaseline:
        """The model that a candidate is compared with."""

    def champion(self, config: Config, examples: BaseChannel, recipe: str) -> FoundChampion:
        """The model that the training on these examples begins from.

        Args:
            config: of the run.
            examples: of the training.
            recipe: digest of all that makes a network, but for the images.
        """


class MetadataLookups:
    """Asks ML Metadata, by resolvers; the same answer for the same question keeps caches valid."""

    def knowledge(self, config: Config) -> Knowledge:
        """See `Lookups`."""
        # What an algorithm does not read must not make it search anew.
        is_warm = config.tuning.algorithm == "warm"
        return find_knowledge(
            places(config) if is_warm else [],
            Workspace.of(config).artifacts,
            starter=is_warm and config.knowledge.starter,
        )

    def past(
        self, config: Config, parameters: Mapping[str, Any], inputs: Mapping[str, BaseChannel]
    ) -> tuple[Nodes, BaseChannel | None]:
        """See `Lookups`."""
        past = resolver.Resolver(
            strategy_class=PastSearchesStrategy,
            config={
                "parameters": dict(parameters),
                "forgotten": forgotten(Workspace.of(config)),
            },
            past=Channel(type=TuningHistory),
            **inputs,
        ).with_id(PAST_SEARCHES)
        return [past], past.outputs["past"]

    def contents(
        self, path: str, settings: IngestSettings, cache_dir: str, key: str, least: int
    ) -> str:
        """See `Lookups`."""
        return read_folder(path, settings, cache_dir, key, least).fingerprint

    def choice(self, tuner: base_node.BaseNode) -> tuple[Nodes, BaseChannel]:
        """See `Lookups`."""
        chosen = resolver.Resolver(
            strategy_class=ChosenBackboneStrategy,
            current=tuner.outputs["chosen"],
            choice=Channel(type=BackboneChoice, producer_component_id=SEARCH),
        ).with_id(CHOSEN_BACKBONE)
        return [chosen], chosen.outputs["choice"]

    def baseline(self, config: Config, candidate: BaseChannel) -> FoundBaseline:
        """See `Lookups`."""
        del config
        baseline = resolver.Resolver(
            strategy_class=BaselineStrategy,
            candidate=candidate,
            **_blessed_models(),
        ).with_id(BASELINE)
        inputs = {
            "baseline_model": baseline.outputs["model"],
            "baseline_examples": baseline.outputs["examples"],
        }
        return FoundBaseline([baseline], inputs)

    def champion(self, config: Config, examples: BaseChannel, recipe: str) -> FoundChampion:
        """See `Lookups`."""
        if config.begins_from == "pretrained":
            return FoundChampion([], {})
        champion = resolver.Resolver(
            strategy_class=ChampionStrategy,
            config={"recipe": recipe if config.begins_from == "known_champion" else ""},
            current=examples,
            **_blessed_models(),
        ).with_id(CHAMPION)
        inputs = {
            "champion": champion.outputs["model"],
            "champion_examples": champion.outputs["examples"],
        }
        return FoundChampion([champion], inputs)


def _blessed_models() -> dict[str, Channel]:
    """All models, verdicts on them, and examples: what a blessed one is looked up in."""
    return {
        "model": Channel(type=standard_artifacts.Model, producer_component_id="Trainer"),
        "model_blessing": Channel(
            type=standard_artifacts.ModelBlessing, producer_component_id="Judge"
        ),
        "examples": Channel(
            type=standard_artifacts.Examples, producer_component_id="ImageExampleGen"
        ),
    }
