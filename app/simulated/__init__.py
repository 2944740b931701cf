"""The demo studies: simulated people on real anatomy. Nothing that analyses imports this."""
