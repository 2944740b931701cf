"""Speed beside limits and peers, in one interleaved run: ``python -m tests.bench [topic ...]``.

A topic is a module of this folder without a leading underscore. It has a `TITLE` and ``rows()``, which yields `Row`s.
"""

import os

# As the program's entry points do before NumPy is imported: its threads would go on spinning and steal from ours.
os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")
