"""The report of any set of runs."""
