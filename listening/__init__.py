"""What is heard: the tone that says to all on a call that somebody listens, and who is told of it how."""
