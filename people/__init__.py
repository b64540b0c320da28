"""Who may what, as administrators set it: pages, CSV, and a file that is reviewed."""
