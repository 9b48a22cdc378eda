"""Plans by constraint programming: the problem, or a part of it, for OR-Tools CP-SAT, which also proves bounds."""
