"""Data that comes with the program, and the few lines that find it."""
