"""What people are shown of a request's results: data checks in words, figures, the report."""
