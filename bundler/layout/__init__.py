"""What a bundle is, without I/O: members, tar headers, offsets, volumes, manifest (format ``llm-bundle/1``)."""
