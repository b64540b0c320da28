"""Passwords that a person reads from a terminal once and types somewhere else."""

import secrets

# Without 0 O 1 l I: nobody has to guess which of them it is.
SIGNS = "23456789abcdefghijkmnpqrstuvwxyz"
GROUPS, LENGTH = 5, 4  # 20 signs of 32: 100 bits


def readable() -> str:
    """Such as `7kqm-x3ep-9wrt-h4cd-m2vz`: 100 random bits."""
    return "-".join("".join(secrets.choice(SIGNS) for _ in range(LENGTH)) for _ in range(GROUPS))
