"""What a search leaves behind: the task, the trials, their learning curves.

These are the lines of a history file; `models.history.tuning_history` writes and reads them. Every
class is frozen, refuses infinities and NaN, and bounds every number and text.
"""

from typing import Annotated, Final, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from models.history.search_space import MOST, Frozen, Number, SearchSpace, Text, Value

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Count = Annotated[int, Field(ge=0, lt=2**63)]
Positive = Annotated[int, Field(ge=1, lt=2**63)]
Size = Annotated[float, Field(ge=0.0, le=MOST)]
Seconds = Size
Subject = Literal["joint", "head", "fine_tuning"]
"""Of a search. Those for heads alone and for fine-tuning alone were made by Graft up to 0.1."""
SUBJECT: Final = "joint"
"""Of the searches that this Graft makes, and so of those that it learns from."""


class EmbeddingStatistics(Frozen):
    """Cheap figures of the training embeddings that describe how hard a task is.

    Attributes:
        total_variance: sum of the features' variances.
        effective_dimension: participation ratio of the covariance's spectrum, (Σλ)² / Σλ²; from
            1 (a line) to d (a ball).
        class_separation: share of the variance that lies between the class means.
        centroid_accuracy: validation accuracy of the nearest class mean, in standardised features.
    """

    total_variance: Size
    effective_dimension: Size
    class_separation: Share
    centroid_accuracy: Share


class TaskDescription(Frozen):
    """The task that a search was made on.

    Attributes:
        images: in the training split.
        validation_images: in the validation split.
        classes: number of classes.
        balance: entropy of the classes' shares over its greatest value; 1 is balanced.
        image_size: side in pixels, 0 when unknown.
        backbone: name.
        weights: as configured.
        weights_digest: of the backbone's values.
        dimension: of the embeddings.
        embedding: statistics of the training embeddings.
        data_fingerprint: changes when an image, a label or the split changes.
        centre: projections of the mean training embedding, which tell how far apart the images of
            two tasks lie (`models.search.relatives`); empty in files of Graft up to 0.1.
    """

    images: Count
    validation_images: Count
    classes: Count
    balance: Share
    image_size: Count
    backbone: Text
    weights: Text
    weights_digest: Text
    dimension: Count
    embedding: EmbeddingStatistics
    data_fingerprint: Text
    centre: Annotated[tuple[Number, ...], Field(max_length=1000)] = ()


ClassWeights = Literal["none", "balanced"]
"""Whether each class is weighed by the inverse of its share of the training images."""


class SearchDescription(Frozen):
    """How the trials were made; scores are comparable only where these agree.

    Attributes:
        algorithm: that proposed the trials.
        seed: of the search and of the training in it.
        epochs: most epochs of a trial.
        patience: epochs without a better score after which a trial stops.
        class_weights: "none" or "balanced".
        metric: name of the score; see `models.search.joint_search.METRIC`.
        direction: "max" when a higher score is better.
        stop_trials: whether trials that fell behind were stopped.
        subject: what was searched: backbone, features and fine-tuning together, or a part.
    """

    algorithm: Text
    seed: Count
    epochs: Positive
    patience: Positive
    class_weights: ClassWeights
    metric: Text
    direction: Literal["max", "min"] = "max"
    stop_trials: bool = False
    subject: Subject = "head"


class ForeignSearch(Frozen):
    """How another tuner made its trials, as far as it says; see `models.history.imports`.

    Attributes:
        algorithm: name of the tuner, such as "Optuna".
        metric: name of the score, as the tuner has it.
        direction: "max" when a higher score is better.
        subject: "other": Graft cannot know what the hyperparameters are of.
    """

    algorithm: Text
    metric: Text
    direction: Literal["max", "min"]
    subject: Literal["other"] = "other"


class Curve(Frozen):
    """What an evaluation showed after each epoch.

    Attributes:
        train_loss: mean of the epoch's batches, in nats, with dropout and label smoothing.
        validation_loss: mean negative log likelihood, in nats.
        validation_accuracy: share answered rightly.
        seconds: wall time; empty where nobody took it.
        scores: accuracy to expect (`models.head.evidence`); empty where nobody asked.
    """

    train_loss: Annotated[tuple[Number, ...], Field(max_length=100_000)]
    validation_loss: Annotated[tuple[Number, ...], Field(max_length=100_000)]
    validation_accuracy: Annotated[tuple[Share, ...], Field(max_length=100_000)]
    seconds: Annotated[tuple[Seconds, ...], Field(max_length=100_000)] = ()
    scores: Annotated[tuple[Share, ...], Field(max_length=100_000)] = ()

    @model_validator(mode="after")
    def _check(self) -> "Curve":
        columns = (self.train_loss, self.validation_loss, self.validation_accuracy)
        given = [column for column in (self.seconds, self.scores) if column]
        if len({len(column) for column in (*columns, *given)}) != 1:
            raise ValueError("the columns of the learning curve differ in length")
        return self


class Evaluation(Frozen):
    """One training with one seed on one division of the data.

    Attributes:
        seed: of the weights, the order of images and dropout.
        fold: number of the fold; None for the task's own validation split.
        score: of the best epoch.
        best_epoch: counted from 0.
        validation_loss: of the best epoch.
        validation_accuracy: of the best epoch.
        seconds: that it took.
        curve: per epoch.
        stopped: whether it was ended because it fell behind other trials; the score is then what
            it had reached, less than it would have come to.
        paused_after: epochs after which it was looked at, whether or not it went on later; None
            for a training to its end. Scores are comparable only where this agrees.
    """

    seed: Count
    fold: Count | None = None
    score: Number
    best_epoch: Count
    validation_loss: Number
    validation_accuracy: Share
    seconds: Seconds
    curve: Curve
    stopped: bool = False
    paused_after: Positive | None = None


class Reported(Frozen):
    """What another tuner kept of a training; Graft made no evaluation of it.

    Attributes:
        scores: of the search's metric after each epoch, or whatever the trial reported after;
            empty where it reported nothing on the way.
        seconds: that each of them took; empty where the tuner did not say.
        stopped: whether the trial was ended before others were; its score is then what it had
            reached.
    """

    scores: Annotated[tuple[Number, ...], Field(max_length=100_000)] = ()
    seconds: Annotated[
        tuple[Annotated[float, Field(gt=0.0, le=MOST)], ...], Field(max_length=100_000)
    ] = ()
    stopped: bool = False

    @model_validator(mode="after")
    def _check(self) -> "Reported":
        if self.seconds and len(self.seconds) != len(self.scores):
            raise ValueError("the columns of the learning curve differ in length")
        return self


class TrialRecord(Frozen):
    """One configuration that was tried.

    Attributes:
        order: position in the search, from 0.
        status: "failed" when no evaluation came out; it then has no score.
        values: of the hyperparameters.
        score: of the validation split; of what Graft up to 0.1 held for finalists the mean over
            their evaluations.
        standard_error: of such a mean; None for a single evaluation.
        evaluations: one, of all epochs that were made; those of Graft up to 0.1 have one more for
            each fold, or for each further stretch of epochs. None where another tuner made the
            search.
        reported: what that tuner kept; None where Graft made the search.
        seconds: that the trial took in all; 0 where another tuner did not say.
        message: why it failed, one line.
    """

    order: Count
    status: Literal["completed", "failed"]
    values: Annotated[dict[str, Value], Field(max_length=1000)]
    score: Number | None = None
    standard_error: Size | None = None
    evaluations: Annotated[tuple[Evaluation, ...], Field(max_length=1000)] = ()
    reported: Reported | None = None
    seconds: Seconds
    message: Text = ""

    @model_validator(mode="after")
    def _check(self) -> "TrialRecord":
        seen = bool(self.evaluations) or self.reported is not None
        if (self.status == "completed") != (self.score is not None and seen):
            raise ValueError(f"trial {self.order} is {self.status} with score {self.score}")
        return self


def _maker(search: object) -> str:
    read = search.get("subject") if isinstance(search, dict) else getattr(search, "subject", None)
    return "foreign" if read == "other" else "graft"


class Header(Frozen):
    """The first line of a history file.

    Attributes:
        format: tells the file apart from any other.
        version: of the format.
        name: what people call the data; empty in files of the first Graft.
        trials: number of lines that follow.
        chosen: order of the trial that was chosen; None where the best score was taken, as it
            came.
        ended: why the search made fewer trials than it might have, in words; empty when it made
            all.
        created: time of writing, ISO 8601.
        space: that the trials were drawn from.
        task: that they were evaluated on; None where another tuner made the search.
        search: how they were made.
        versions: of the libraries, by name.
    """

    format: Literal["graft-tuning-history"] = "graft-tuning-history"
    version: Literal[1] = 1
    name: Text = ""
    trials: Count
    chosen: Count | None = None
    ended: Text = ""
    created: Text
    space: SearchSpace
    task: TaskDescription | None
    search: Annotated[
        Annotated[SearchDescription, Tag("graft")] | Annotated[ForeignSearch, Tag("foreign")],
        Discriminator(_maker),
    ]
    versions: Annotated[dict[str, Text], Field(max_length=1000)]

    @model_validator(mode="after")
    def _check(self) -> "Header":
        if (self.task is None) != (self.search.subject == "other"):
            raise ValueError("a search of Graft has a task, and one of another tuner has none")
        return self
