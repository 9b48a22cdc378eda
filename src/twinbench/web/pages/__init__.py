"""Pages: one module each. What a page shows is what REST tells, from the same use cases."""
