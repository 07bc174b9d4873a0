"""The trained classifier as a SavedModel that takes any picture which Graft was trained on."""

from models.export.answers import FurtherColumn
from models.export.export import export_model

__all__ = ["FurtherColumn", "export_model"]
