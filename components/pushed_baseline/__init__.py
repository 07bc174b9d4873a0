"""The component that takes the pushed model as the baseline, where no metadata are kept."""
