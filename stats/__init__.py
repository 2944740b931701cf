"""Arrays in, named tuples out: no Qt, no VTK, no file formats."""
