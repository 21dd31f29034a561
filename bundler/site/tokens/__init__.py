"""The tokens by which clients are let through the proxy: made, listed, replaced and revoked at the site."""
