"""Raises the findings that forbid going on."""

from collections.abc import Iterable
from typing import Final

from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from typing_extensions import override

from components.artifact_types import Artifacts, Params
from components.findings import Finding, read_findings
from models.errors import BadDataError
from models.wording import counted

_MOST: Final = 20
"""Errors that are told; of hundreds of classes each may be one, and the report has them all."""


class Executor(base_executor.BaseExecutor):
    """Passes or raises; writes nothing."""

    @override
    def Do(self, input_dict: Artifacts, output_dict: Artifacts, exec_properties: Params) -> None:
        """Runs the component; see `components.gate.component`.

        Raises:
            BadDataError: there is a finding of severity "error".
        """
        check_findings(read_findings(artifact_utils.get_single_uri(input_dict["findings"])))


def check_findings(findings: Iterable[Finding]) -> None:
    """Raises the errors among the findings, if there are any.

    Raises:
        BadDataError: names each of the first errors, its images, and how to mend or override it.
    """
    errors = [finding for finding in findings if finding.severity == "error"]
    if not errors:
        return
    told = enumerate(errors[:_MOST], start=1)
    parts = [_paragraph(number, finding) for number, finding in told]
    if len(errors) > _MOST:
        parts.append(f"and {len(errors) - _MOST:,} more, which the report names")
    raise BadDataError(
        f"Validation found {counted(len(errors), 'problem')} in the data.\n" + "\n".join(parts)
    )


def _paragraph(number: int, finding: Finding) -> str:
    lines = [f"{number}. {finding.check}: {finding.message}"]
    lines += [f"     {_printable(name)}" for name in finding.images]
    if finding.count > len(finding.images):
        lines.append(f"     ... and {finding.count - len(finding.images)} more")
    return "\n".join(lines)


def _printable(name: str) -> str:
    """The name on one line: quoted and escaped where it holds control characters."""
    return name if name.isprintable() else repr(name)
