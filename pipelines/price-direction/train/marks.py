"""What scripts write into MODEL_CARD.md: text between two marks, tables."""


def put(path, begin, text, end):
    """Replaces what stands between two marks."""
    before, rest = path.read_text().split(begin)
    after = rest.split(end)[1]
    path.write_text(before + begin + "\n" + text + "\n" + end + after)


def table(heads, lines, text_columns=1):
    """A Markdown table; numbers stand to the right."""
    marks = ["---" if at < text_columns else "---:" for at in range(len(heads))]
    return "\n".join("| " + " | ".join(map(str, cells)) + " |" for cells in [heads, marks, *lines])
