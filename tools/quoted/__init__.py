"""The figures that documents quote, recomputed from the results that are committed."""
