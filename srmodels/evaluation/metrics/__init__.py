"""One metric per file: SR and HR as uint8 pictures, or planes of them, in; a number out."""
