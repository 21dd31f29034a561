"""What is done with releases at the site: install, move from one to another, roll back, prune, look, remove."""
