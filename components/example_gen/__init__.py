"""Ingest: from a folder, manifest or TFRecords to shuffled `tf.Example`s in three splits."""
