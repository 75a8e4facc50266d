"""Measure files: inputs, pipeline, journal, folder of results."""
