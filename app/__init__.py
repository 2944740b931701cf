"""The program: state, recipes, jobs, window, command line. Joins widgets, render and stats."""
