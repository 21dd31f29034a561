"""What others own stops an upload, as it does in the newest Fleet; what is for all does not."""

from __future__ import annotations

import pytest

from kibana_assets.package.build import Built
from tests.counterparts.kibana_stack.conftest import Upload
from tests.counterparts.kibana_stack.route import Json
from tests.counterparts.kibana_stack.server import KibanaStack

OWN = "logs-local_llm.proxy_access"


@pytest.mark.parametrize(
    ("name", "template", "words"),
    [
        (OWN, {"index_patterns": ["other-*"], "priority": 1}, f'"{OWN}" (same_template_name). Adopt the dataset'),
        ("x", {"index_patterns": ["logs-local_llm.*-*"], "priority": 200}, '"x" (equal_priority_overlap)'),
        ("x", {"index_patterns": ["logs-*-*"], "priority": 200}, '"x" (equal_priority_overlap)'),
        ("x", {"index_patterns": ["*.proxy_*"], "priority": 201}, '"x" (lower_priority_specific_overlap)'),
        ("x", {"index_patterns": ["logs-local_llm.?roxy_access-soc"]}, '"x" (outranks_specific_template)'),
        (
            "x",
            {"index_patterns": ["logs-local*"], "_meta": {"package": {"name": "other"}}},
            '"x" (outranks_specific_template, owned by "other")',
        ),
        ("logs", {"index_patterns": ["logs-*-*", ".logs-*"], "priority": 100}, ""),
        ("logs", {"index_patterns": ["*"], "priority": 500}, ""),
        ("x", {"index_patterns": ["logs-local_llm.proxy-*", "metrics-local_llm.v?llm*"], "priority": 200}, ""),
    ],
)
def test_templates_of_others(
    kibana: KibanaStack, upload: Upload, built: Built, name: str, template: Json, words: str
) -> None:
    kibana.stack.index_templates[name] = template
    answer = upload(built.data)
    assert answer.status_code == (400 if words else 200), answer.text
    assert words in answer.json().get("message", "")


def test_templates_that_an_older_upload_has_made(kibana: KibanaStack, upload: Upload, built: Built) -> None:
    assert upload(built.data).status_code == 200
    kibana.stack.index_templates[OWN] = {"index_patterns": [f"{OWN}-*"], "priority": 200}
    assert upload(built.data).status_code == 200
