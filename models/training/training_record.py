"""What a training leaves for the report and for lineage: `training.json`."""

from dataclasses import asdict, dataclass
from itertools import accumulate
from typing import Any

from models.head.block_weights import BlockWeight
from models.head.calibration import Calibration
from models.training.strategies.choice import StrategyRecord
from models.training.training_settings import Strategy, TrainingSettings


@dataclass(frozen=True)
class Phase:
    """One stretch of epochs.

    Attributes:
        name: "head", "fine_tune", "fine_tune_again", "fine_tune_copies" or "fine_tune_all".
        epochs: the figures of each epoch: `loss` (with smoothing and weights), `val_loss` (mean
            negative log likelihood), `val_accuracy`, both of "fine_tune_copies" on copies too; None
            where one is not finite, and in "fine_tune_all", which learns from validation images.
        best_epoch: index, within the phase, of the epoch that was kept.
        seconds: wall time, of this process alone where the phase was resumed.
    """

    name: str
    epochs: tuple[dict[str, float | None], ...]
    best_epoch: int
    seconds: float


@dataclass(frozen=True)
class TrainingRecord:
    """One training.

    Attributes:
        strategy: asked for or chosen, with the reason in words.
        exported: "fine_tuned" or "head", and why, in `exported_reason`.
        exported_reason: in words.
        phases: in order.
        validation_accuracy: of the exported model; of that before it learned from the validation
            images too.
        head_validation_accuracy: of the head on the frozen backbone.
        settings: of the training.
        seed: of everything random.
        class_weights: by class name.
        precision: Keras policy that fine-tuning computed in.
        notes: further decisions in words (views, mirror, cut, cache).
        start: what it began from, "pretrained" or "champion".
        resumed_from_epoch: fine-tuning epochs that the search, or a killed process, had done; None
            if nothing was resumed.
        strategies: that were tried, beside the linear head and the fine-tuning.
        calibration: of the exported model; None where a strategy calibrated its head itself.
        refitted_images: training and validation images that what is exported learned from
            together in the end; 0 where it did not.
        blocks: what each block of the frozen backbone is worth to the linear head; none where it
            reads the last output alone.
    """

    strategy: Strategy
    exported: str
    exported_reason: str
    phases: tuple[Phase, ...]
    validation_accuracy: float
    head_validation_accuracy: float
    settings: TrainingSettings
    seed: int
    class_weights: dict[str, float]
    precision: str
    notes: tuple[str, ...]
    start: str
    resumed_from_epoch: int | None
    strategies: tuple[StrategyRecord, ...] = ()
    calibration: Calibration | None = None
    refitted_images: int = 0
    blocks: tuple[BlockWeight, ...] = ()

    def to_values(self) -> dict[str, Any]:
        """The content of `training.json`."""
        metrics = ("loss", "val_loss", "val_accuracy")
        epochs = [figures for phase in self.phases for figures in phase.epochs]
        starts = accumulate((len(phase.epochs) for phase in self.phases), initial=0)
        phases = [
            {
                "name": phase.name,
                "first_epoch": start,
                "epochs": len(phase.epochs),
                "best_epoch": start + phase.best_epoch,
                "seconds": phase.seconds,
            }
            for phase, start in zip(self.phases, starts, strict=False)
        ]
        return {
            "strategy": self.strategy.name,
            "reason": self.strategy.reason,
            "exported": self.exported,
            "exported_reason": self.exported_reason,
            "phases": phases,
            "history": {name: [figures.get(name) for figures in epochs] for name in metrics},
            "validation_accuracy": self.validation_accuracy,
            "head_validation_accuracy": self.head_validation_accuracy,
            "seconds": sum(phase.seconds for phase in self.phases),
            "settings": self.settings.model_dump(),
            "seed": self.seed,
            "class_weights": self.class_weights,
            "precision": self.precision,
            "notes": list(self.notes),
            "start": self.start,
            "resumed_from_epoch": self.resumed_from_epoch,
            "strategies": [asdict(each) for each in self.strategies],
            "calibration": None if self.calibration is None else asdict(self.calibration),
            "refitted_images": self.refitted_images,
            "blocks": [asdict(each) for each in self.blocks],
        }
