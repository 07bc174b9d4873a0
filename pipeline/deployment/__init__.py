"""Files for the official TensorFlow Serving image: compose, Kubernetes, configuration."""
