"""The bench agent: a program of its own beside a cycler, which carries out what the LIMS commands over MQTT."""
