"""People: who they are, what they may do, which phone is theirs."""
