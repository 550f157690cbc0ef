"""The demo: a small web application that subscribes, pushes, and shows what the service sees."""
