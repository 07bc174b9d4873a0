"""The pipeline: which component reads what another wrote."""
