"""What the pages of the documentation take from the code."""
