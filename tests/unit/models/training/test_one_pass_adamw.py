import keras
import numpy as np
import tensorflow as tf

from models.training.one_pass_adamw import OnePassAdamW


def test_weights_moments_and_averages_are_those_of_keras() -> None:
    rng = np.random.default_rng(0)
    start = [rng.normal(size=shape).astype(np.float32) for shape in [(3, 4), (5,)]]
    gradients = [[tf.constant(each * size) for each in start] for size in (1.0, 0.1, -3.0)]

    def trained(kind: type[keras.optimizers.AdamW]) -> list[np.ndarray]:
        variables = [keras.Variable(each) for each in start]
        optimizer = kind(0.01, weight_decay=0.1, use_ema=True, ema_momentum=0.9)
        optimizer.build(variables)
        step = tf.function(lambda gradients: optimizer.apply(gradients, variables))
        for each in gradients:
            step(each)
        return [keras.ops.convert_to_numpy(each) for each in [*variables, *optimizer.variables]]

    for one, other in zip(trained(keras.optimizers.AdamW), trained(OnePassAdamW), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    assert not np.allclose(trained(OnePassAdamW)[0], start[0])
