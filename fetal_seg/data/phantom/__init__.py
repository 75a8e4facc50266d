"""Simulated images of fetal heads."""
