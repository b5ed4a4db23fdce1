"""The origin shield: a permanent seed and plain HTTP before the blob store. Never imports the tracker."""
