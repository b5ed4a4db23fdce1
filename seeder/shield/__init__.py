"""What stands between the fleet and the blob store: each object leaves the store once, however many want it."""
