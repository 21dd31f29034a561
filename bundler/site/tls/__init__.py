"""The proxy's certificate: one of the site's, put in place, or one of a private CA that is made here."""
