"""The example runs as it stands, without TFX, and its second search starts from its first."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

EXAMPLE = Path(__file__).parents[2] / "examples" / "warm_start.py"

RUN = """
import json, runpy, sys
names = runpy.run_path(sys.argv[1])
print(json.dumps({
    "modules": sorted({name.partition(".")[0] for name in sys.modules}),
    "past": [dict(values) for values in names["past"][0].values],
    "second": [names["second_search"].trials[name].hyperparameters.values
               for name in names["second_search"].end_order],
    "contribution": names["contribution"].model_dump(mode="json"),
}))
"""


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("example")
    environment = {**os.environ, "TMPDIR": str(folder), "CUDA_VISIBLE_DEVICES": "-1"}
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(EXAMPLE)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=1800,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def found(printed: list[str]) -> dict[str, Any]:
    return json.loads(printed[-1])


def test_no_tfx_is_needed(found: dict[str, Any]) -> None:
    assert "keras_tuner" in found["modules"]
    tfx = {"tfx", "tfx_bsl", "apache_beam", "ml_metadata", "tensorflow_transform"}
    assert not tfx & set(found["modules"])


def test_the_second_search_starts_from_the_first(found: dict[str, Any]) -> None:
    told = found["contribution"]
    assert [source["name"] for source in told["sources"]] == ["digits 0 to 4"]
    assert told["sources"][0]["trials"] == len(found["past"])
    assert told["proposals"][0]["origin"] == "portfolio"
    assert [each["origin"] for each in told["proposals"]].count("cold") >= 1
    assert set(found["second"][0]) == set(found["past"][0])


def test_it_says_so_in_words(printed: list[str], found: dict[str, Any]) -> None:
    assert found["contribution"]["words"] in printed
    assert any(line.startswith("digits 0 to 4: ") and "weight" in line for line in printed)
    # What was read back is what had been made.
    made = [line for line in printed if line.startswith("digits 0 to 4: validation accuracy")]
    assert len(made) == 2
    assert made[0] == made[1]
