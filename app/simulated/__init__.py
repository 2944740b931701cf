"""The demo study: simulated people on real anatomy. Nothing that analyses imports this."""
