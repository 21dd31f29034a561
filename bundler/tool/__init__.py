"""The tool that travels in the bundle: llm-bundle.pex, made on the connected side from what is installed there."""
