"""What is claimed of speed, measured: each `python -m benchmarks.NAME --json`; the tables are in README.md."""
