"""What developers and `make` run; nothing of it is part of the running panel."""
