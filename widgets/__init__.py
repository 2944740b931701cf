"""Qt widgets: values in by ``set_*``, values out by signals. No VTK, no study, no files."""
