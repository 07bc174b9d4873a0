from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import tensorflow as tf

from components.example_gen.example_form import ExampleForm


def parsed(content: bytes) -> dict[str, list]:
    features = tf.train.Example.FromString(content).features.feature
    return {
        key: list(getattr(value, value.WhichOneof("kind")).value) for key, value in features.items()
    }


def test_nothing_of_the_image_before_is_left():
    form = ExampleForm()
    form.fill({"name": b"a", "group": b"x", "width": 3, "sharpness": 0.5})
    assert parsed(form.fill({"name": b"b", "width": 4, "sharpness": 0.25})) == {
        "name": [b"b"],
        "width": [4],
        "sharpness": [0.25],
    }
    assert parsed(form.fill({"name": b"", "width": 0}))["name"] == [b""]


def test_threads_do_not_meet():
    form = ExampleForm()

    def filled(number: int) -> bool:
        name = str(number).encode()
        values: dict[str, bytes | int | float] = {"name": name, "width": number}
        return parsed(form.fill(values)) == {"name": [name], "width": [number]}

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(filled, range(500)))


def own_megabytes() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("RssAnon:")[2].split()[0]) / 1024


def test_images_do_not_stay_in_memory():
    form = ExampleForm()
    image = bytes(100_000)
    for _ in range(200):
        form.fill({"image": image})
    before = own_megabytes()
    for _ in range(2_000):  # 200 MB
        form.fill({"image": image})
    assert own_megabytes() - before < 40
