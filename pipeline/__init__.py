"""What runs, in what order: configuration, pipeline, runner, command and report."""
