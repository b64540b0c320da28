"""Who did what to which call, and what came of it: written before it happens, never changed after."""
