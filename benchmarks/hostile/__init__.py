"""An honest download on a daemon that is attacked at the same time: how much of its rate is left, and what the attack
costs."""
