"""Design of experiments: from factors to numbered test points."""
