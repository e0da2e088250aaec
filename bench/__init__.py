"""Speed as ratios in one run: `make bench`, or `python -m bench [replay] [live] [memory] [analysis] [--events N]`."""
