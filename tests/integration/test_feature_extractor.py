import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from labelled_examples import write_examples
from tfx.types import channel_utils, standard_artifacts

from components.artifact_types import BackboneChoice, Embeddings
from components.feature_extractor.component import FeatureExtractor
from components.feature_extractor.executor import Executor
from models import progress
from models.backbone_choice import backbone_choice
from models.backbone_choice.backbone_choice import Candidate, write_choice
from models.backbone_choice.model_settings import ModelSettings
from models.embedding import EmbeddingInfo, read_embeddings, read_info
from models.errors import BadDataError, UsageError

Run = Callable[..., EmbeddingInfo]


@pytest.fixture(scope="module")
def splits(digits_folder: Path) -> dict[str, list[tuple[str, str, bytes]]]:
    images = [
        (path.parent.name, str(path.relative_to(digits_folder)), path.read_bytes())
        for path in sorted(digits_folder.glob("*/*.png"))
    ]
    return {"train": images[::2], "validation": images[1::4], "test": images[3::4]}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs the executor on splits; the cache lives as long as the test."""

    def run(splits: dict[str, Any], **settings: Any) -> EmbeddingInfo:
        examples = standard_artifacts.Examples()
        examples.uri = str(tmp_path / "examples")
        examples.split_names = '["' + '","'.join(splits) + '"]'
        shutil.rmtree(examples.uri, ignore_errors=True)
        write_examples(Path(examples.uri), splits)
        embeddings = Embeddings()
        embeddings.uri = str(tmp_path / "embeddings")
        choice = BackboneChoice()
        choice.uri = str(tmp_path / "choice")
        asked = {"backbone": "EfficientNetLite0", "weights": "imagenet", "image_size": 32}
        asked |= {name: settings.pop(name) for name in (*asked,) if name in settings}
        candidate = Candidate.model_validate(asked)
        write_choice(
            Path(choice.uri), backbone_choice.BackboneChoice(candidate=candidate, weights_digest="")
        )
        Executor().Do(
            {"examples": [examples], "choice": [choice]},
            {"embeddings": [embeddings]},
            {
                "settings": ModelSettings(**settings).to_json(),
                "cache_dir": str(tmp_path / "cache"),
                "code": "",
            },
        )
        info = read_info(embeddings.uri)
        assert embeddings.get_string_custom_property("key") == info.key
        return info

    return run


def test_every_split_is_embedded_in_the_order_of_its_examples(
    run: Run, splits: dict[str, Any], tmp_path: Path
) -> None:
    told: list[progress.Progress] = []
    with progress.listening(told.append):
        info = run(splits)
    assert (info.images, info.computed, info.reused, info.dimension) == (200, 200, 0, 3304)
    assert (told[-1].done, told[-1].total, told[-1].unit) == (200, 200, "images")
    for split, images in splits.items():
        content = read_embeddings(tmp_path / "embeddings", split)
        assert content.embeddings.shape == (len(images), 3304)
        assert content.embeddings.dtype == np.float32
        assert content.labels.tolist() == [label for label, _, _ in images]
        assert content.names.tolist() == [name for _, name, _ in images]


def test_a_second_run_costs_nothing_and_added_images_only_themselves(
    run: Run, splits: dict[str, Any], tmp_path: Path
) -> None:
    fewer = {"train": splits["train"][5:], "test": splits["test"]}
    assert run(fewer).computed == 145
    before = read_embeddings(tmp_path / "embeddings", "train").embeddings
    assert run(fewer).computed == 0

    more = {"train": splits["train"], "test": [*splits["test"], *splits["train"][:2]]}
    info = run(more)
    assert (info.computed, info.reused, info.identical) == (5, 145, 2)
    after = read_embeddings(tmp_path / "embeddings", "train").embeddings
    np.testing.assert_array_equal(after[5:], before)
    copied = read_embeddings(tmp_path / "embeddings", "test").embeddings[-2:]
    np.testing.assert_array_equal(copied, after[:2])


def test_other_preprocessing_is_computed_apart(run: Run, splits: dict[str, Any]) -> None:
    few = {"train": splits["train"][:4]}
    assert run(few).key != run(few, resize="pad").key
    assert run(few, resize="pad").computed == 0
    assert run(few, weights="none").computed == 4


def test_a_record_that_is_no_image_is_named(run: Run, splits: dict[str, Any]) -> None:
    with pytest.raises(BadDataError, match=r"image '0/broken\.png' cannot be decoded: Unknown"):
        run({"train": [*splits["train"][:3], ("0", "0/broken.png", b"text")]})


def test_an_unknown_backbone_is_a_usage_error(run: Run) -> None:
    with pytest.raises(UsageError, match="no backbone 'Lite0'"):
        run({}, backbone="Lite0")


def test_component_declares_what_it_takes() -> None:
    component = FeatureExtractor(
        examples=channel_utils.as_channel([standard_artifacts.Examples()]),
        choice=channel_utils.as_channel([BackboneChoice()]),
        settings=ModelSettings(resize="crop").to_json(),
        cache_dir="cache",
        code="abc",
    )
    settings = ModelSettings.from_json(component.exec_properties["settings"])
    assert settings.resize == "crop"
    assert component.outputs["embeddings"].type is Embeddings
