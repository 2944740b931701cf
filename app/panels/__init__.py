"""What stands between a session and each panel of the window: values out of the view, changes into it."""
