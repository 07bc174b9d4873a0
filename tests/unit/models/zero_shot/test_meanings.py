from pathlib import Path

import numpy as np
import pytest
from small_wordnet import write_wordnet

from models.errors import UsageError
from models.zero_shot.class_names import parse_class
from models.zero_shot.conse import confidences, shares
from models.zero_shot.meanings import ImageNet, Meaning, told_apart
from models.zero_shot.wordnet import WordNet


@pytest.fixture(scope="module")
def imagenet(tmp_path_factory: pytest.TempPathFactory) -> ImageNet:
    return ImageNet(WordNet(write_wordnet(tmp_path_factory.mktemp("wordnet"))))


def meaning(imagenet: ImageNet, text: str) -> Meaning:
    return imagenet.meaning(parse_class(text))


def similarities(imagenet: ImageNet, text: str) -> np.ndarray:
    found = meaning(imagenet, text).similarities
    assert found is not None
    return found


def test_classes_stand_in_the_order_of_the_network(imagenet: ImageNet) -> None:
    assert len(imagenet.names) == 1000
    assert [imagenet.names[at] for at in (0, 309, 985)] == ["tench", "bee", "daisy"]


def test_a_class_of_imagenet_is_itself(imagenet: ImageNet) -> None:
    told = similarities(imagenet, "Daisies=daisy")
    assert (int(told.argmax()), float(told.max())) == (985, 1.0)


def test_a_word_above_or_beside_is_known_by_what_is_near(imagenet: ImageNet) -> None:
    told = similarities(imagenet, "TallBuilding=tower blocks")
    assert imagenet.names[int(told.argmax())] == "church"
    assert "(nearest in ImageNet: daisy)" in meaning(imagenet, "flowers").words


def test_a_number_is_like_nothing_and_an_unknown_word_says_so(imagenet: ImageNet) -> None:
    zero = meaning(imagenet, "zero")
    assert not zero.is_known
    assert zero.words == "nothing in ImageNet is like zero, what is called zero"
    assert meaning(imagenet, "0x=xyzzy").words == "WordNet has no noun 'xyzzy'"


def test_of_two_classes_that_mean_the_same_the_second_says_so(imagenet: ImageNet) -> None:
    asked = [meaning(imagenet, text) for text in ("daisy", "zero", "Bloom=daisy", "tench", "0")]
    told = [each.words for each in told_apart(asked)]
    assert told[2].endswith("; nothing tells it from 'daisy', which means that")
    assert [told[0], told[1], *told[3:]] == [asked[at].words for at in (0, 1, 3, 4)]


def test_of_several_words_the_nearest_counts_and_unknown_ones_do_no_harm(
    imagenet: ImageNet,
) -> None:
    both = similarities(imagenet, "both=daisy+tench+xyzzy")
    np.testing.assert_array_equal(
        both, np.maximum(similarities(imagenet, "daisy"), similarities(imagenet, "tench"))
    )


def test_the_sense_is_taken_that_pictures_show_unless_another_is_named(
    imagenet: ImageNet,
) -> None:
    assert "what is called flower" in meaning(imagenet, "bloom").words
    assert not meaning(imagenet, "bloom#1").is_known
    with pytest.raises(UsageError, match="knows 2 senses of 'bloom'; got 'bloom#3'"):
        meaning(imagenet, "bloom#3")


def test_another_wordnet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="lacks 1 of ImageNet's 1,000 classes, such as tench"):
        ImageNet(WordNet(write_wordnet(tmp_path, without="tench")))


def test_an_image_is_shared_among_what_it_is_like(imagenet: ImageNet) -> None:
    given = shares(np.stack([similarities(imagenet, name) for name in ("flower", "shoe")]))
    logits = np.full((3, 1000), -20.0, np.float32)
    logits[0, 985] = logits[1, imagenet.names.index("sandal")] = 20.0
    logits[2, 309] = 20.0  # a bee, which is neither
    sure = confidences(logits, given)
    assert sure[0, 0] > 0.8
    assert sure[1, 1] > 0.8
    assert sure[2].sum() < 0.1
    assert (given.sum(axis=1) <= 1.0).all()
