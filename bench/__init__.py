"""Speed, measured: `make bench` writes bench/results/<date>.json and .md."""
