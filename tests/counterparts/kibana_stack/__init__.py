"""A Kibana for the tests of installing: saved objects, data views, rules, spaces and Fleet, strict as the real one."""
