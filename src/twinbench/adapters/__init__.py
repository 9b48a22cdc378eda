"""How the outside is reached: one module, one protocol, one client library."""
