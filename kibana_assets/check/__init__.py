"""Finding what is wrong with dashboards before Kibana shows an empty panel, or none."""
