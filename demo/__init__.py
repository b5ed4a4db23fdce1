"""`make demo`: a whole fleet on this machine, driven by the commands that a person would type. No part of the wheel."""
