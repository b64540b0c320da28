"""What is true on a PBX now, folded from AMI lists and events. Pure: no I/O, no clock, no Django; time comes in."""
