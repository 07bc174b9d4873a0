"""The pasts of other tuners as histories: one reader for each form that they are kept in."""
