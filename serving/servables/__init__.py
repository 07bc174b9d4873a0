"""The models that are served: found, loaded, named, unloaded."""
