"""``python -m stacks.settings`` writes the JSON schema that the settings files refer to."""

from stacks.settings.schema import PATH, schema_text

PATH.write_text(schema_text(), encoding="utf-8")
