"""How a run searches: the section `tuning`."""

import re
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from models.search.workers.address import check_address, is_loopback
from models.settings import Section

_UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([smh])")
_LONGEST: Final = 30 * 24 * 3600.0


def _seconds(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    found = _DURATION.fullmatch(value.strip())
    if found is None:
        raise ValueError("a time such as 90s, 20m or 1.5h, or a number of seconds")
    return float(found[1]) * _UNITS[found[2]]


Duration = Annotated[float, BeforeValidator(_seconds), Field(ge=0.0, le=_LONGEST)]


class SearchSettings(Section):
    """The search for backbone, image size, how much is trained, and how."""

    budget: Duration | None = None
    """Time for it, such as 90s, 20m or 1.5h. The final training goes on with the best trial, so
    that the time spent on that is not lost. 0: no search; the first of model.candidates is trained
    as training says. Empty: 0.7 of what that training is expected to take."""
    trials: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Most stretches of epochs that are trained. Empty: as many as the budget allows."""
    algorithm: Literal["warm", "cold"] = "warm"
    """warm starts from what earlier searches learned; cold tries the cheapest first, and the better
    half goes on."""
    parallel: Annotated[int, Field(ge=1, le=64)] = 1
    """Trainings at a time, each in a process of its own on the machine of the run. A single one
    uses two cores already and a process takes seconds to start, so that more gain nothing on two
    cores. The budget is the sum of what all take."""
    serve: str = ""
    """HOST:PORT of this machine at which workers on others join the search, one training at a time
    each; `graft worker FOLDER --secret FILE` starts one, and the run names the folder, which both
    must see, as they must the workspace. The run trains too, parallel at a time. Empty: no other
    machines."""
    serve_secret: Annotated[str, Field(validate_default=True)] = ""
    """File with a secret of 16 bytes or more that workers need too, such as `openssl rand -hex 32`
    makes; all that is said at serve is signed with it, and nothing is encrypted. May be empty only
    where serve is an address that this machine alone can reach, such as 127.0.0.1:8600."""

    @field_validator("serve")
    @classmethod
    def _servable(cls, value: str) -> str:
        return check_address(value)

    @field_validator("serve_secret")
    @classmethod
    def _secret_outside(cls, value: str, info: ValidationInfo) -> str:
        address = info.data.get("serve", "")
        if address and not value and not is_loopback(address):
            raise ValueError(f"a file with a secret, as {address} can be reached from elsewhere")
        return value
