"""Habena: brain-map viewer for PET and fMRI. Everything the window does, as Python calls."""
