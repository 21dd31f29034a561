// Renders agent templates as Fleet does (server/services/epm/agent/agent.ts): Handlebars without HTML escaping, with
// Fleet's own helpers. A YAML variable is a quoted word first; where that begins a line the user's YAML takes its place,
// not indented; elsewhere it does so in what was read. Kibana 8.19 reads and writes YAML with js-yaml, newer ones with
// yaml; the newer also join a text in double quotes that runs over lines, before the user's YAML is in.
// Reads {library, asked: [{template, vars, yaml}]} from stdin; yaml maps names of YAML variables to their texts.
// Writes for each {read} or {error, text}. argv[2]: where the modules are installed.
const module_ = (name) => require(require("path").join(process.argv[2], "node_modules", name));
const { library, asked } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const old = library === "js-yaml";
const yaml = module_(library);
const load = old ? yaml.load : yaml.parse;
const dump = old ? (value) => yaml.dump(value) : (value) => yaml.stringify(value, { collectionStyle: "block", lineWidth: 0 });
const handlebars = module_("handlebars").create();
handlebars.registerHelper("contains", function (item, list, options) {
  return Array.isArray(list) && list.includes(item) ? options.fn(this) : options.inverse(this);
});
handlebars.registerHelper("escape_string", (text) => {
  if (!text) return undefined;
  if (!old && text.includes("\n")) return JSON.stringify(text);
  return `'${text.replace(/'/g, "''").replace(/\n/g, "\n\n")}'`;
});
handlebars.registerHelper("to_json", (value) => (typeof value === "string" ? value : JSON.stringify(value)));
handlebars.registerHelper("url_encode", (text) => encodeURIComponent(text));

function render(one) {
  const vars = { ...one.vars };
  for (const name of Object.keys(one.yaml)) vars[name] = one.yaml[name] ? `"##${name}##"` : null;
  let text = handlebars.compile(one.template, { noEscape: true })(vars);
  if (!old) {
    text = text.replace(/"(?:[^"\\]|\\.)*"/gs, (found) => found.replace(/\n+/g, (ends) => "\\n".repeat(ends.length - 1)));
  }
  for (const name of Object.keys(one.yaml)) {
    const value = one.yaml[name] ? load(one.yaml[name]) : null;
    text = text.replace(new RegExp(`^"##${name}##"`, "gm"), () => (value ? dump(value) : ""));
  }
  return old ? text : text.replace(/^(\S[^\n]*:)\s*\n(\[.*\]|\{.*\})\s*$/gm, "$1 $2");
}

function filled(read, one) {
  if (read === null || typeof read !== "object") {
    const name = typeof read === "string" ? read.replace(/^##(.*)##$/, "$1") : "";
    return name !== read && one.yaml[name] ? load(one.yaml[name]) : read;
  }
  for (const key of Object.keys(read)) read[key] = filled(read[key], one);
  return read;
}

const made = asked.map((one) => {
  const text = render(one);
  try {
    return { read: filled(load(text), one) };
  } catch (error) {
    return { error: String(error), text };
  }
});
process.stdout.write(JSON.stringify(made));
