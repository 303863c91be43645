"""PNG: `read` decodes, `chunks` checks the file, `side_data` has colours and metadata."""
