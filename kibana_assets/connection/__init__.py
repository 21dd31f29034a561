"""How Elasticsearch and Kibana are reached: addresses, logins, certificates, proxies; each failure in a sentence."""
