"""SavedModels made with TensorFlow alone: what other people's models look like to a server.

`python tests/plain_models.py FOLDER` writes them all, each as version 123, so that any server can
be started on them; TensorFlow Serving's own tests use such a family.
"""

import sys
from pathlib import Path
from typing import Any, Final

import tensorflow as tf

v1 = tf.compat.v1
VERSION: Final = "00000123"
NAMES: Final = ("half_plus_two", "half_plus_three", "half_plus_two_v2", "mixed")
VOCABULARY: Final = ("red", "green", "naïve")
EXAMPLE: Final = {
    "x": tf.io.FixedLenFeature([1], tf.float32),
    "x2": tf.io.FixedLenFeature([1], tf.float32, default_value=[0.0]),
}


def write_all(folder: Path) -> None:
    """Writes every model of this file below `folder`, and `models.config`, which names them."""
    write_v1(folder / "half_plus_two" / VERSION, 2.0)
    write_v1(folder / "half_plus_three" / VERSION, 3.0)
    write_v2(folder / "half_plus_two_v2" / VERSION)
    write_mixed(folder / "mixed" / VERSION)
    (folder / "models.config").write_text(config_of(folder, *NAMES), encoding="utf-8")


def config_of(folder: Path, *names: str) -> str:
    """Text of a `ModelServerConfig` with the models `names` below `folder`."""
    lines = [
        f'  config {{ name: "{name}" base_path: "{folder / name}" model_platform: "tensorflow" }}'
        for name in names
    ]
    return "\n".join(["model_config_list {", *lines, "}", ""])


def write_v1(
    directory: Path, plus: float, before_init: Path | None = None, ballast: int = 0
) -> None:
    """A graph of TensorFlow 1: y = x / 2 + plus, with an asset and an operation to start with.

    Args:
        directory: where to; it must not be there.
        plus: what is added.
        before_init: a named pipe; the model loads no further before somebody opens it to write.
        ballast: bytes of a variable that is not used.
    """
    asset = directory.parent / "asset.txt"
    asset.parent.mkdir(parents=True, exist_ok=True)
    asset.write_text("asset", encoding="utf-8")
    with tf.Graph().as_default(), v1.Session() as session:
        serialized = v1.placeholder(tf.string, [None], "tf_example")
        parsed = v1.parse_example(serialized, EXAMPLE)
        x, x2 = tf.identity(parsed["x"], "x"), tf.identity(parsed["x2"], "x2")
        half = v1.get_variable("a", initializer=0.5)
        y = tf.identity(half * x + v1.get_variable("b", initializer=plus), "y")
        y2 = tf.identity(half * x + v1.get_variable("c", initializer=3.0), "y2")
        y3 = tf.identity(half * x2 + 3.0, "y3")
        v1.get_variable("ballast", [ballast // 4], initializer=v1.ones_initializer())
        name = v1.get_variable("filename", initializer="", trainable=False)
        v1.add_to_collection(v1.GraphKeys.ASSET_FILEPATHS, tf.constant(str(asset)))
        named = "asset.txt" if before_init is None else tf.io.read_file(str(before_init))
        session.run(v1.global_variables_initializer())
        builder = v1.saved_model.builder.SavedModelBuilder(str(directory))
        builder.add_meta_graph_and_variables(
            session,
            ["serve"],
            signature_def_map={
                "serving_default": _signature("predict", {"x": x}, {"y": y}),
                "regress_x_to_y": _signature("regress", {"inputs": serialized}, {"outputs": y}),
                "regress_x_to_y2": _signature("regress", {"inputs": serialized}, {"outputs": y2}),
                "regress_x2_to_y3": _signature("regress", {"inputs": x2}, {"outputs": y3}),
                "classify_x_to_y": _signature("classify", {"inputs": serialized}, {"scores": y}),
            },
            assets_collection=v1.get_collection(v1.GraphKeys.ASSET_FILEPATHS),
            main_op=tf.group(name.assign(named)),
        )
        builder.save()
    asset.unlink()


def _signature(method: str, inputs: dict[str, Any], outputs: dict[str, Any]) -> Any:
    def infos(tensors: dict[str, Any]) -> dict[str, Any]:
        return {key: v1.saved_model.build_tensor_info(tensor) for key, tensor in tensors.items()}

    return v1.saved_model.signature_def_utils.build_signature_def(
        infos(inputs), infos(outputs), f"tensorflow/serving/{method}"
    )


def write_v2(directory: Path) -> None:
    """The same function as `write_v1` with 2, exported by TensorFlow 2."""
    module = tf.Module()
    module.half = tf.Variable(0.5)

    @tf.function(input_signature=[tf.TensorSpec([None, 1], tf.float32, "x")])
    def predict(x: Any) -> dict[str, Any]:
        return {"y": module.half * x + 2.0}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "inputs")])
    def regress(inputs: Any) -> dict[str, Any]:
        return {"outputs": module.half * tf.io.parse_example(inputs, EXAMPLE)["x"] + 2.0}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "inputs")])
    def classify(inputs: Any) -> dict[str, Any]:
        return {"scores": module.half * tf.io.parse_example(inputs, EXAMPLE)["x"] + 2.0}

    signatures = {"regress_x_to_y": regress, "classify_x_to_y": classify}
    tf.saved_model.save(module, str(directory), {"serving_default": predict} | signatures)


def write_mixed(directory: Path) -> None:
    """Inputs of several types and ranks, a table read from an asset, and classes with names."""
    module = tf.Module()
    directory.parent.mkdir(parents=True, exist_ok=True)
    words = directory.parent / "words.txt"
    words.write_text("\n".join(VOCABULARY), encoding="utf-8")
    initializer = tf.lookup.TextFileInitializer(
        str(words), tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64,
        tf.lookup.TextFileIndex.LINE_NUMBER,
    )  # fmt: skip
    module.table = tf.lookup.StaticHashTable(initializer, default_value=-1)

    def spec(name: str, dtype: Any, *shape: int) -> Any:
        return tf.TensorSpec([None, *shape], dtype, name)

    @tf.function(
        input_signature=[
            spec("text", tf.string), spec("count", tf.int32), spec("rates", tf.float32, 2)
        ]
    )  # fmt: skip
    def mix(text: Any, count: Any, rates: Any) -> dict[str, Any]:
        return {
            "twice": count * 2,
            "total": tf.reduce_sum(rates, axis=1),
            "upper_bytes": tf.strings.upper(text),
        }

    @tf.function(input_signature=[spec("word", tf.string)])
    def look_up(word: Any) -> dict[str, Any]:
        return {"index": module.table.lookup(word)}

    @tf.function(input_signature=[spec("inputs", tf.string)])
    def classify(inputs: Any) -> dict[str, Any]:
        x = tf.io.parse_example(inputs, EXAMPLE)["x"]
        return {
            "scores": tf.concat([x, 1.0 - x], axis=1),
            "classes": tf.tile(tf.constant([["yes", "no"]]), [tf.shape(x)[0], 1]),
        }

    @tf.function(input_signature=[tf.TensorSpec([], tf.float32, "x")])
    def scalar(x: Any) -> dict[str, Any]:
        return {"y": x * 2.0}

    signatures = {"look_up": look_up, "classify": classify, "scalar": scalar}
    tf.saved_model.save(module, str(directory), {"serving_default": mix} | signatures)
    words.unlink()


if __name__ == "__main__":
    write_all(Path(sys.argv[1]))
