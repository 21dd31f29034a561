"""Package policies: what a package's defaults make of simplified inputs, and what Fleet refuses of the result.

Source: elastic/kibana, Fleet's simplified_package_policy_helper.ts and validate_package_policy.ts (read, not copied).
An input is named ``<policy template>-<type>``, a stream by its dataset. What is not named has its default, also in an
update: what an earlier policy had is not kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from tests.counterparts.kibana_stack.archive import Package
from tests.counterparts.kibana_stack.route import Json, Refusal

_TRUTHS = (True, False)


def filled(package: Package, given: Mapping[str, Any]) -> list[Json]:
    """The whole inputs. Raises: Refusal for names that the package does not have."""
    inputs = {f"{one['policy_template']}-{one['type']}": one for one in _defaults(package)}
    for name, wish in given.items():
        if name not in inputs:
            raise Refusal(400, f"Input not found: {name}")
        target = inputs[name]
        target["enabled"] = wish.get("enabled") is not False
        _assign(wish.get("vars") or {}, target["vars"], name)
        streams = {one["data_stream"]["dataset"]: one for one in target["streams"]}
        for dataset, more in (wish.get("streams") or {}).items():
            if dataset not in streams:
                raise Refusal(400, f"Stream not found {name}: {dataset}")
            streams[dataset]["enabled"] = more.get("enabled") is not False
            _assign(more.get("vars") or {}, streams[dataset]["vars"], f"{name} {dataset}")
        if not target["enabled"]:
            for stream in target["streams"]:
                stream["enabled"] = False
    return list(inputs.values())


def checked(package: Package, inputs: list[Json]) -> list[Json]:
    """The same inputs. Raises: Refusal that names each value that is missing or of a wrong form."""
    wrong = list(_wrong(package, inputs))
    if wrong:
        raise Refusal(400, f"Package policy is invalid: {', '.join(wrong)}")
    return inputs


def simple(inputs: list[Json]) -> Json:
    """Whole inputs in the simplified form."""
    return {
        f"{one['policy_template']}-{one['type']}": {
            "enabled": one["enabled"],
            "vars": _values(one["vars"]),
            "streams": {
                stream["data_stream"]["dataset"]: {"enabled": stream["enabled"], "vars": _values(stream["vars"])}
                for stream in one["streams"]
            },
        }
        for one in inputs
    }


def upgraded(package: Package, before: list[Json]) -> list[Json]:
    """Inputs of another version, with the values of before where there is still such a variable."""
    made = _defaults(package)
    old = {(one["policy_template"], one["type"]): one for one in before}
    for one in made:
        was = old.get((one["policy_template"], one["type"]))
        if was is None:
            continue
        one["enabled"] = was["enabled"]
        streams = {stream["data_stream"]["dataset"]: stream for stream in was["streams"]}
        for stream in one["streams"]:
            earlier = streams.get(stream["data_stream"]["dataset"])
            if earlier:
                stream["enabled"] = earlier["enabled"]
                stream["vars"] |= {key: value for key, value in earlier["vars"].items() if key in stream["vars"]}
    return checked(package, made)


def _defaults(package: Package) -> list[Json]:
    made: list[Json] = []
    for template in package.manifest.get("policy_templates") or ():
        for wanted in template.get("inputs") or ():
            streams = [
                {
                    "enabled": stream.get("enabled", True),
                    "data_stream": {"type": one.type, "dataset": one.dataset},
                    "vars": {
                        var["name"]: {"type": var["type"], "value": _default(var)} for var in stream.get("vars") or ()
                    },
                }
                for one in package.streams
                for stream in one.streams
                if stream["input"] == wanted["type"]
            ]
            names = {var["name"]: {"type": var["type"], "value": _default(var)} for var in wanted.get("vars") or ()}
            base = {"type": wanted["type"], "policy_template": template["name"], "enabled": True}
            made.append({**base, "vars": names, "streams": streams})
    return made


def _default(var: Json) -> Any:
    if "default" in var:
        return var["default"]
    return [] if var.get("multi") else None


def _assign(given: Json, into: Json, place: str) -> None:
    for name, value in given.items():
        if name not in into:
            raise Refusal(400, f"Variable {place}:{name} not found")
        if not isinstance(value, (str, bool, int, float, list, type(None))) and set(value) != {"id", "isSecretRef"}:
            raise Refusal(400, f"[request body.inputs.{place}.vars.{name}]: types that failed validation")
        into[name] = {**into[name], "value": value}


def _wrong(package: Package, inputs: list[Json]) -> Iterator[str]:
    known = {(one.dataset, stream["input"]): stream for one in package.streams for stream in one.streams}
    for one in inputs:
        for stream in one["streams"]:
            dataset = stream["data_stream"]["dataset"]
            for var in known[(dataset, one["type"])].get("vars") or ():
                found = _fault(var, stream["vars"][var["name"]]["value"]) if stream["enabled"] else ""
                if found:
                    place = f"inputs.{one['policy_template']}-{one['type']}.streams.{dataset}.vars.{var['name']}"
                    yield f"{place}: {found}"


def _fault(var: Json, value: Any) -> str:
    title = var.get("title") or var["name"]
    if value is None or value == "" or (value == [] and var.get("multi")):
        return f"{title} is required" if var.get("required") else ""
    if var.get("multi"):
        if not isinstance(value, list):
            return "Invalid format: expected array"
        return "Invalid format: empty" if any(one in ("", None) for one in value) else ""
    if var["type"] == "bool" and not any(value is truth for truth in _TRUTHS):
        return "Boolean values must be either true or false"
    if var["type"] == "integer" and (isinstance(value, bool) or not str(value).lstrip("-").isdigit()):
        return "Invalid integer"
    if var["type"] == "yaml" and not _is_yaml(value):
        return "Invalid YAML format"
    return ""


def _is_yaml(value: Any) -> bool:
    try:
        YAML(typ="safe", pure=True).load(value)
    except (YAMLError, ValueError, AttributeError):
        return False
    return True


def _values(variables: Json) -> Json:
    return {name: one["value"] for name, one in variables.items()}
