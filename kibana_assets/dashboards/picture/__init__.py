"""The dashboards as an HTML page: the grid, the titles and, of a cluster, the numbers. No Kibana is needed.

It is not what Kibana draws, and looks like no screenshot: it shows places, words and numbers of what was compiled.
"""
