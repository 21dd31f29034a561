"""The command line: the only importer of click and rich. A command parses, calls one library function, prints."""
