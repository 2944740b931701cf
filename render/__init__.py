"""Pictures: what a slice or a surface looks like. VTK and Numba, no Qt."""
