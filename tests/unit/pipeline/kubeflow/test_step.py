"""What a container of a compiled pipeline runs."""

import subprocess
import sys

import pytest

from pipeline.kubeflow.kubeflow_settings import SCHEMES, KubeflowSettings
from pipeline.kubeflow.step import to_folder, to_uri


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_bucket_is_a_folder_in_a_container_and_a_uri_outside(scheme: str) -> None:
    uri = f"{scheme}://bucket/root/model 1"
    folder = to_folder(uri)
    assert folder.startswith("/")
    assert "://" not in folder
    assert to_uri(folder) == uri


@pytest.mark.parametrize("place", ["/srv/gcs/bucket", "relative/gs:", "https://host/gcs/a", ""])
def test_what_is_no_bucket_stays_as_it_is(place: str) -> None:
    assert to_folder(place) == place
    assert to_uri(place) == place


@pytest.mark.parametrize("root", ["/srv/graft", "gs://", "ftp://bucket/a", "bucket"])
def test_a_root_that_is_no_bucket_is_refused(root: str) -> None:
    with pytest.raises(ValueError, match="gs://bucket/folder"):
        KubeflowSettings(pipeline_root=root)


def test_a_container_that_was_given_nothing_says_what_it_needs() -> None:
    pytest.importorskip("kfp", reason="the extra kubeflow is not installed")
    command = [sys.executable, "-m", "pipeline.kubeflow.step", "--help-me"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "--json_serialized_invocation_args" in done.stderr
    assert "Traceback" not in done.stderr
