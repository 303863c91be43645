"""One file per format. Start at `write`; `row_stream` passes rows on as they are computed."""
