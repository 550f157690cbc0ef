"""Reports of runs: values (`record`) and a function for each format that makes them text."""
