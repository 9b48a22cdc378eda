"""What a battery is put through: procedures, and how a catalogue test becomes one."""
