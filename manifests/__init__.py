"""What exactly is to be had, and who vouches for it. Imports none of our other packages."""
