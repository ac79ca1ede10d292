"""Text of others on one line: what acts is written out, all else stays."""

import pytest

from live_dashboards.model.names import escaped


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain – ünï 模型 🤖 עברית 5 000", "plain – ünï 模型 🤖 עברית 5 000"),
        ("a\nERROR: b\r\t", r"a\nERROR: b\r\t"),
        ("\x1b[2J\x9b\x07\x7f", r"\x1b[2J\x9b\x07\x7f"),
        ("\u202e\u2066\u200b\u2028\ufeff", r"\u202e\u2066\u200b\u2028\ufeff"),
        ("\ud800", r"\ud800"),
        ("👩\u200d🔬 می\u200cخواهم", "👩\u200d🔬 می\u200cخواهم"),
        ("", ""),
    ],
)
def test_what_acts_is_written_out_and_all_else_stays(text, shown):
    assert escaped(text) == shown
