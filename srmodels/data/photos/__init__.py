"""Which photographs there are: scanning folders, near duplicates, the table photos.csv.

Begin with `collect`; `scan` reads folders, `duplicates` compares `thumbnails`, `table` reads and
writes.
"""
