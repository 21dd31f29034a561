"""What runs at the site, as values and texts. Rules without I/O, for both sides of the air gap."""
