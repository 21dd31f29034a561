"""A validator of the package format: JSON schemas written anew, and a function for each rule that they cannot say."""
