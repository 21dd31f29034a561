"""The system prompt for models that call tools, for the Security AI Assistant.

It keeps a model from writing its tool calls into the answer, where people would read them and nothing would run them.
"""

from __future__ import annotations

TOOL_CALLING_NAME = "Tool calls through the API"

TOOL_CALLING = """\
Your tools are offered to you through the chat completions API, in the "tools" list of each request.

- To use a tool, answer with an entry in "tool_calls" and leave "content" empty. Do both at no time.
- Never write a tool call, its name or its arguments into the text of an answer, in no notation.
- Use only tools of that list, under their exact names, with arguments that are valid JSON for their schema.
- When you have what you need, answer the question in plain text, without another tool call.
- If no tool fits, say so and answer from what you know."""
