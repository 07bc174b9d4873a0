"""The chooser on real digits: two sizes, what cannot be had, and the cache."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ml_metadata as mlmd
import pytest
from labelled_examples import write_examples
from ml_metadata.proto import metadata_store_pb2
from tfx.types import channel_utils, standard_artifacts

from components.artifact_types import BackboneChoice as ChoiceArtifact, Embeddings
from components.backbone_chooser.chosen_backbone_resolver import CHOSEN, ChosenBackboneStrategy
from components.backbone_chooser.component import BackboneChooser
from components.backbone_chooser.executor import Executor
from components.backbone_chooser.sample import draw_sample
from components.feature_extractor.executor import Executor as ExtractorExecutor
from models import progress
from models.backbone_choice.backbone_choice import BackboneChoice, read_choice
from models.embedding import read_info
from models.errors import BadDataError, UsageError

Images = list[tuple[str, str, bytes]]
Choose = Callable[..., BackboneChoice]

LITE_32 = {"backbone": "EfficientNetLite0", "weights": "imagenet", "image_size": 32}
LITE_96 = {**LITE_32, "image_size": 96}
ABSENT = {**LITE_32, "weights": "/nowhere/else.keras"}


@pytest.fixture(scope="module")
def examples(digits_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    images = [
        (path.parent.name, str(path.relative_to(digits_folder)), path.read_bytes())
        for path in sorted(digits_folder.glob("*/*.png"))
    ]
    splits = {"train": images[::2], "validation": images[1::4], "test": images[3::4]}
    artifact = standard_artifacts.Examples()
    artifact.uri = str(tmp_path_factory.mktemp("chooser") / "examples")
    artifact.split_names = '["train","validation","test"]'
    write_examples(Path(artifact.uri), splits)
    return artifact


@pytest.fixture
def choice_artifact(tmp_path: Path) -> ChoiceArtifact:
    artifact = ChoiceArtifact()
    artifact.uri = str(tmp_path / "choice")
    return artifact


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample's embeddings, which no choice need compute again."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def choose(examples: Any, choice_artifact: ChoiceArtifact, cache: Path) -> Choose:
    """Runs the executor on candidates."""

    def choose(*candidates: dict[str, Any], images: int = 150, **rule: float) -> BackboneChoice:
        settings = {"images": images, "price": 0.0, "standard_errors": 0.0, **rule}
        Executor().Do(
            {"examples": [examples]},
            {"choice": [choice_artifact]},
            {
                "model": json.dumps({"candidates": candidates, "features": "last"}),
                "settings": json.dumps(settings),
                "seed": 0,
                "cache_dir": str(cache),
                "code": "",
            },
        )
        return read_choice(Path(choice_artifact.uri))

    return choose


def test_the_better_size_is_chosen_unless_its_price_is_too_high(choose: Choose) -> None:
    told: list[progress.Progress] = []
    with progress.listening(told.append):
        choice = choose(LITE_32, LITE_96, LITE_96)
    assert (told[-1].done, told[-1].total, told[-1].unit) == (2, 2, "candidates")
    assert choice.images == 150
    small, large = (each.measured for each in choice.compared)
    assert (small.candidate.image_size, large.candidate.image_size) == (32, 96)
    assert large.accuracy > small.accuracy + 0.02
    assert large.dimension == small.dimension == 1280
    assert choice.winner == large
    assert choose(LITE_32, LITE_96, price=1.0).winner.candidate.image_size == 32


def test_what_cannot_be_had_is_left_out_with_the_reason(choose: Choose) -> None:
    choice = choose(ABSENT, LITE_32)
    assert choice.winner.candidate.image_size == 32
    (left_out,) = choice.left_out
    assert left_out.candidate.weights == "/nowhere/else.keras"
    assert "/nowhere/else.keras is no file" in left_out.reason


def test_no_candidate_left_is_an_error_that_says_why(choose: Choose) -> None:
    with pytest.raises(UsageError, match=r"(?s)None of the backbones.*else\.keras is no file"):
        choose(ABSENT)


def test_a_misspelt_name_ends_the_run(choose: Choose) -> None:
    with pytest.raises(UsageError, match="Did you mean EfficientNetLite0"):
        choose(LITE_32, {**LITE_32, "backbone": "EfficientNetLite"})


def test_the_chosen_backbone_is_embedded_with_and_its_sample_is_not_embedded_again(
    choose: Choose, choice_artifact: ChoiceArtifact, examples: Any, cache: Path, tmp_path: Path
) -> None:
    choose(LITE_32, LITE_96, price=1.0)
    embeddings = Embeddings()
    embeddings.uri = str(tmp_path / "embeddings")
    ExtractorExecutor().Do(
        {"examples": [examples], "choice": [choice_artifact]},
        {"embeddings": [embeddings]},
        {"settings": '{"features": "last"}', "cache_dir": str(cache), "code": ""},
    )
    info = read_info(embeddings.uri)
    assert (info.backbone, info.weights, info.image_size) == ("EfficientNetLite0", "imagenet", 32)
    assert (info.images, info.computed, info.reused) == (200, 50, 150)


def test_the_sample_is_stratified_seeded_and_stable(examples: Any) -> None:
    def names(images: int, seed: int) -> list[str]:
        return [record.name for record in draw_sample(examples.uri, images, seed).records()]

    sample = names(50, seed=0)
    assert len(set(sample)) == 50
    assert {name.split("/")[0] for name in sample} == set("0123456789")
    assert sample == names(50, seed=0)
    assert set(sample) != set(names(50, seed=1))
    assert set(sample) < set(names(100, seed=0))
    assert len(names(1000, seed=0)) == 150


def test_equal_images_are_drawn_as_often_as_they_are_there(tmp_path: Path) -> None:
    image = b"never decoded"
    twice = [("a", "1.png", image), ("a", "2.png", image), ("b", "3.png", b"other")]
    write_examples(tmp_path, {"train": twice, "validation": [("b", "4.png", image)]})
    names = [record.name for record in draw_sample(str(tmp_path), 10, seed=0).records()]
    assert names == ["1.png", "2.png", "3.png", "4.png"]


def test_one_class_is_bad_data(tmp_path: Path) -> None:
    write_examples(tmp_path, {"train": [("a", "1.png", b"1")], "validation": [("a", "2", b"2")]})
    with pytest.raises(BadDataError, match="have 1"):
        draw_sample(str(tmp_path), 50, seed=0)


def test_the_first_choice_of_the_same_backbone_stands_for_later_ones() -> None:
    def choice(number: int, chosen: str) -> ChoiceArtifact:
        artifact = ChoiceArtifact()
        artifact.id = number
        artifact.set_string_custom_property(CHOSEN, chosen)
        return artifact

    earlier = [choice(3, "a"), choice(5, "b"), choice(8, "b")]
    current = choice(9, "b")
    store = mlmd.MetadataStore(metadata_store_pb2.ConnectionConfig(fake_database={}))
    strategy = ChosenBackboneStrategy()
    resolved = strategy.resolve_artifacts(store, {"current": [current], "choice": earlier})
    assert [each.id for each in resolved["choice"]] == [5]
    new = choice(10, "c")
    resolved = strategy.resolve_artifacts(store, {"current": [new], "choice": [*earlier, new]})
    assert [each.id for each in resolved["choice"]] == [10]


def test_component_declares_what_it_takes() -> None:
    component = BackboneChooser(
        examples=channel_utils.as_channel([standard_artifacts.Examples()]),
        model="{}",
        settings="{}",
        seed=3,
        cache_dir="cache",
        code="abc",
    )
    assert component.exec_properties["seed"] == 3
    assert component.outputs["choice"].type is ChoiceArtifact
