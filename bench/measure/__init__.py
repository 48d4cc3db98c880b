"""What bench/run measures, and how; see ../README.md."""
