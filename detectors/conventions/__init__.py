"""Each statistic as somebody computes it: bins, smoothing and quirks under that somebody's name."""
