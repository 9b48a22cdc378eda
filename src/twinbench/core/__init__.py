"""What is true: pure functions and frozen dataclasses; no input, no output, no clock."""
