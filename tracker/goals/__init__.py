"""What every service should run: goals by scope, their history, and how a region follows the global tracker."""
