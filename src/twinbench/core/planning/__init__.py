"""Bench planning: which bench does which job, and when."""
