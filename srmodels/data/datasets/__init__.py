"""Named data sets: definitions, downloads, archives; `catalog` resolves `data.photos`."""
