"""Compile every Numba kernel once, into the cache on disk."""

from __future__ import annotations


def main() -> None:
    """Compile what is not yet in the cache."""


if __name__ == "__main__":
    main()
