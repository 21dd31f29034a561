"""What serves at the site, one kind of keeper a file, behind one small interface."""
