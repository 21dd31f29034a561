// Renders agent templates as Fleet does: Handlebars without HTML escaping, with Fleet's own helpers.
// A YAML variable is a quoted word first; where that begins a line the user's YAML takes its place, not indented, as in
// Fleet (server/services/epm/agent/agent.ts). Then js-yaml reads it, as in Kibana.
// Reads [{template, vars}] from stdin, writes for each {read} or {error, text}. argv[2]: where the modules are installed.
const module_ = (name) => require(require("path").join(process.argv[2], "node_modules", name));
const handlebars = module_("handlebars").create();
const yaml = module_("js-yaml");
handlebars.registerHelper("contains", function (item, list, options) {
  return Array.isArray(list) && list.includes(item) ? options.fn(this) : options.inverse(this);
});
handlebars.registerHelper("escape_string", (text) => (text ? `'${String(text).replace(/'/g, "''").replace(/\n/g, "\n\n")}'` : text));
handlebars.registerHelper("to_json", (value) => (typeof value === "string" ? JSON.parse(JSON.stringify(value)) : JSON.stringify(value)));
handlebars.registerHelper("url_encode", (text) => encodeURIComponent(text));
const asked = JSON.parse(require("fs").readFileSync(0, "utf8"));
const made = asked.map(({ template, vars }) => {
  const users = () => yaml.dump([{ add_tags: { tags: ["of_the_user"] } }]);
  const text = handlebars.compile(template, { noEscape: true })(vars).replace(/^"##of_the_user"/gm, users);
  try {
    return { read: yaml.load(text) };
  } catch (error) {
    return { error: String(error), text };
  }
});
process.stdout.write(JSON.stringify(made));
