"""Whether a run would come to anything new: what `graft run --if-needed` asks, in a second."""
