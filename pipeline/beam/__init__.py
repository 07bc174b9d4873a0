"""Where Beam's stages run: in the process of the run, on worker pools, or on an engine."""
