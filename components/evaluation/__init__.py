"""What TensorFlow Model Analysis computes in the stock Evaluator."""
