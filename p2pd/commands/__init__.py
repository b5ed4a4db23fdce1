"""What each command of `p2pd` does; loaded when it is given, so that `p2pd --help` costs nothing."""
