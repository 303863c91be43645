"""Which photographs there are: folders, near duplicates, the table photos.csv.

Begin with `collect`; `scan` reads folders, `duplicates` compares `thumbnails`.
"""
