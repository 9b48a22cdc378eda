"""REST, version 1: what programs may do, the same as people on the pages and with the same words."""
