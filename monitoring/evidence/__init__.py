"""Whether the images that a model is sent are still those that it was made for, and since when."""

from monitoring.evidence.drift_evidence import DriftEvidence
from monitoring.evidence.drift_report import DriftReport, SignalReport
from monitoring.evidence.drift_settings import DriftSettings

__all__ = ["DriftEvidence", "DriftReport", "DriftSettings", "SignalReport"]
