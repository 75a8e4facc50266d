"""Reporting checklists of a run: each point filled from the run's own records, or left to the author."""
