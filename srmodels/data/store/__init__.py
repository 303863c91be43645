"""The patch store on disk: `writer` makes shards, `files` opens them, `reader` reads a store."""
