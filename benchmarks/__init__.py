"""Measurements of the project; each module is run by hand."""
