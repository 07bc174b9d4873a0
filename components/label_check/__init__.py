"""The component that looks for wrong labels, before anything is trained on them."""
