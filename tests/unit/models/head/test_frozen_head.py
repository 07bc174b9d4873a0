import numpy as np
import pytest

from models.head.evidence import answers_of
from models.head.frozen_head import train_frozen_head
from models.head.head_trainer import HeadTrainer
from models.head.hyperparameters import HeadParameters
from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings


def trainer(*, is_linear: bool) -> HeadTrainer:
    """Two classes that a line parts but for noise, or that only a hidden layer can."""

    def split(images: int, seed: int) -> LabelledEmbeddings:
        generator = np.random.default_rng(seed)
        features = generator.normal(size=(images, 8)).astype(np.float32)
        product = features[:, 0] * (1.0 if is_linear else features[:, 1])
        noise = generator.normal(size=images) if is_linear else 0.0
        return LabelledEmbeddings(features, (product + noise > 0).astype(int))

    return HeadTrainer(HeadTask(split(60 if is_linear else 600, 0), split(300, 1), 2), "none")


@pytest.mark.parametrize(("is_linear", "kind"), [(True, "linear"), (False, "searched")])
def test_the_more_promising_head_is_taken(is_linear, kind):
    heads = trainer(is_linear=is_linear)
    parameters = HeadParameters(learning_rate=1e-2, hidden_units=128)
    frozen = train_frozen_head(heads, parameters, epochs=20, patience=20, seed=0)
    assert frozen.kind == kind
    assert kind in frozen.reason.split(" promises")[0]
    assert frozen.parameters.hidden_units == (0 if is_linear else 128)
    validation = heads.task.validation
    logits = frozen.model.predict(validation.embeddings, verbose=0)
    answers = answers_of(logits, validation.classes)
    np.testing.assert_array_equal(answers.right, frozen.answers.right)
    np.testing.assert_allclose(answers.losses, frozen.answers.losses, atol=1e-3)
    assert frozen.curve.validation_accuracy[frozen.best_epoch] == pytest.approx(
        frozen.answers.accuracy
    )
