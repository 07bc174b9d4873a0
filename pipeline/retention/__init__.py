"""What a workspace keeps, so that it does not grow for ever."""
