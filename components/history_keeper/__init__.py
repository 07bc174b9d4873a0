"""The component that keeps the histories of searches, where no metadata are kept."""
