"""How the points of a design are chosen, one module per family of kinds."""
