"""What all tests share."""

from hypothesis import settings

settings.register_profile("house", deadline=None)  # on a busy machine a deadline tests the machine
settings.load_profile("house")
