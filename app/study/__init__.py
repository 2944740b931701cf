"""Studies: folders of patients, what is asked of them, and the answers."""
