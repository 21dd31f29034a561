"""Container engines of the site, one a file, behind one small interface."""
