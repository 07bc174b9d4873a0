"""Images as data: decoding, statistics, labels, and the tf.Examples that hold them."""
