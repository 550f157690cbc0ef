"""The commands of `mockpush`, a module for each group of them."""
