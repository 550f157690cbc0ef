"""Ways to reach the service: over HTTP, or in process."""
