"""From a command line to a checked configuration: Hydra, overrides, sweeps, searches."""
