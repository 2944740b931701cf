"""Commands of the command line, one module for each family. Thin: they parse, call and print."""
