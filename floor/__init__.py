"""The running floor: who owns a PBX, what is pushed to whom, and a command's whole life. Knows no feature."""
