"""Where runs are kept beside the workspace: the section `tracking`."""

import re
from typing import Annotated

from pydantic import Field, field_validator

from models.settings import Section


class TrackingSettings(Section):
    """The tracker that each run is added to. One that does not answer never fails a run."""

    mlflow: str = ""
    """Address of an MLflow tracking server, such as https://mlflow.example.com, or $NAME of an
    environment variable that holds it. A token or a name and password are taken from
    MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD. Empty: none."""
    experiment: Annotated[str, Field(min_length=1, max_length=200)] = "graft"
    """Name of the experiment there; it is made if it is missing."""
    timeout_seconds: Annotated[float, Field(gt=0.0, le=300.0)] = 30.0
    """To wait for each answer."""

    @field_validator("mlflow")
    @classmethod
    def _address_or_variable(cls, value: str) -> str:
        if value and not re.fullmatch(r"https?://[^\s?#]+|\$[A-Za-z_]\w*", value):
            raise ValueError("an http or https address, or $NAME of a variable with it")
        return value
