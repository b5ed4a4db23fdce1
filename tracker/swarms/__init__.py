"""Who is in which swarm, and whom to name to whom. All pure."""
