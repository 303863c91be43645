"""Which photographs there are: `collect` writes photos.csv; `scan`, `duplicates`, `thumbnails`."""
