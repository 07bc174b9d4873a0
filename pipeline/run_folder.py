"""Names of the files in the folder of one run."""

from typing import Final

CONFIG: Final = "config.yaml"
LOG: Final = "log.txt"
SUMMARY: Final = "summary.json"
REPORT: Final = "report.html"
