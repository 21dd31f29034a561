"""Trying a bundle before it is shipped: started as at the site, asked as Kibana would ask, taken away again."""
