import dataclasses

import pytest

from models.backbone_choice.backbone_choice import Candidate
from models.backbones.multiply_adds import count_work
from models.history.search_space import Values
from models.search.costs import Costs, Pace
from models.search.joint_space import AUGMENT, LEARNING_RATE, UNFREEZE, frozen_backbone

LITE0 = Candidate(backbone="EfficientNetLite0", weights="imagenet", image_size=64)
LARGE = Candidate(backbone="EfficientNetLite0", weights="imagenet", image_size=128)


def costs(slowness: float = 1.0, rate: float = 1e-10) -> Costs:
    return Costs(
        images=100,
        validation_images=50,
        batch_size=32,
        shares=(0.25, 0.5),
        pace=Pace(rate=rate, slowness=slowness),
    )


def fine_tuned(candidate: Candidate, share: float = 0.5, augment: str = "on") -> Values:
    frozen = frozen_backbone(candidate)
    return {**frozen, UNFREEZE: share, LEARNING_RATE: 1e-4, AUGMENT: augment}


def test_the_work_of_a_backbone_is_what_its_authors_counted() -> None:
    work = count_work("EfficientNetLite0", 224, (0.25, 0.5))
    # https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite: 407 million,
    # with the classifier, which is not there.
    assert 0.9 * 407e6 < work.forward < 1.05 * 407e6
    assert 0 < work.top[0.25] < work.top[0.5] < work.forward


@pytest.mark.parametrize(
    ("name", "millions"),
    # https://arxiv.org/abs/1610.02357 and https://arxiv.org/abs/1512.00567: billions at 299 px.
    [("Xception", 8_400), ("InceptionV3", 5_700)],
)
def test_backbones_that_take_no_small_images_are_counted_too(name: str, millions: float) -> None:
    work = count_work(name, 299, (0.5,))
    assert 0.9 * millions < work.forward / 1e6 < 1.1 * millions
    assert count_work(name, 150, (0.5,)).forward == pytest.approx(work.forward * (150 / 299) ** 2)


def test_costs_grow_with_the_size_and_with_what_is_trained() -> None:
    known = costs()
    assert known.epoch(fine_tuned(LITE0)) < known.epoch(fine_tuned(LARGE))
    assert known.epoch(fine_tuned(LITE0, 0.25)) < known.epoch(fine_tuned(LITE0, 0.5))
    assert known.epoch(frozen_backbone(LITE0)) < known.epoch(fine_tuned(LITE0))
    assert known.serving(LARGE) == 4 * known.serving(LITE0)
    assert known.training(fine_tuned(LITE0), 3) == known.start(fine_tuned(LITE0)) + 3 * known.epoch(
        fine_tuned(LITE0)
    )


def test_what_another_configuration_paid_for_costs_nothing_again() -> None:
    known = costs()
    first = known.start(fine_tuned(LITE0))
    assert first > known.start(frozen_backbone(LITE0)) > 0
    known.pay(frozen_backbone(LITE0))
    assert known.start(frozen_backbone(LITE0)) == 0
    assert 0 < known.start(fine_tuned(LITE0)) < first
    known.pay(fine_tuned(LITE0))
    assert known.start(fine_tuned(LITE0)) == 0
    assert 0 < known.start(fine_tuned(LITE0, augment="off")) < known.start(fine_tuned(LITE0, 0.25))
    assert known.start(fine_tuned(LARGE)) > first


def test_each_process_pays_for_what_it_traces() -> None:
    alone, two = costs(), dataclasses.replace(costs(), processes=2)
    assert two.start(fine_tuned(LITE0)) == alone.start(fine_tuned(LITE0))
    two.pay(frozen_backbone(LITE0))
    # Embeddings are there for all.
    assert two.start(frozen_backbone(LITE0)) == 0
    first = two.start(fine_tuned(LITE0))
    two.pay(fine_tuned(LITE0))
    assert two.start(fine_tuned(LITE0)) == pytest.approx(first / 2)
    for _ in range(2):
        two.pay(fine_tuned(LITE0))
        assert two.start(fine_tuned(LITE0)) == 0


@pytest.mark.parametrize("values", [frozen_backbone(LITE0), fine_tuned(LITE0)])
def test_a_machine_that_is_half_as_fast_in_all_takes_twice_as_long(values: Values) -> None:
    slow = costs(slowness=2.0, rate=2e-10)
    assert slow.training(values, 3) == pytest.approx(2 * costs().training(values, 3))
    assert costs(slowness=2.0).training(values, 3) > costs().training(values, 3)
