"""Sequential designs: surrogates of the responses, and the runs that teach most."""
