"""A page as a parser sees it: what is wrong with its markup, its ids, labels, links, and its text."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
NEED_LABELS = {"input", "select", "textarea"}


class Page(HTMLParser):
    """Everything that a test asks of a page.

    Attributes:
        faults: What is opened and not closed, or the other way round.
        elements: Tag and attributes of every element, in order.
        words: All text.
    """

    def __init__(self, html):
        super().__init__()
        self.faults, self.elements, self._texts, self._open, self._in_label = [], [], [], [], set()
        self._texts_of = {}
        self.feed(html)
        self.close()
        self.faults += [f"<{tag}> is not closed" for tag, _ in self._open]

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if len(attributes) < len(attrs):
            self.faults.append(f"<{tag}> has an attribute twice: {attrs}")
        self.elements.append((tag, attributes))
        self._texts_of[len(self.elements) - 1] = []
        if tag in NEED_LABELS and any(name == "label" for name, _ in self._open):
            self._in_label.add(len(self.elements) - 1)
        if tag not in VOID:
            self._open.append((tag, len(self.elements) - 1))

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self._open or self._open[-1][0] != tag:
            self.faults.append(f"</{tag}> closes nothing at line {self.getpos()[0]}")
        if any(name == tag for name, _ in self._open):
            while self._open.pop()[0] != tag:
                pass

    def handle_data(self, data):
        self._texts.append(data)
        for _, number in self._open:
            self._texts_of[number].append(data)

    @property
    def words(self):
        return " ".join(" ".join(self._texts).split())

    @property
    def ids(self):
        return [attributes["id"] for _, attributes in self.elements if "id" in attributes]

    def all(self, tag, **wanted):
        """Attributes of every element of a kind."""
        return [
            attributes
            for name, attributes in self.elements
            if name == tag and all(attributes.get(key.rstrip("_")) == value for key, value in wanted.items())
        ]

    def text_of(self, tag, **wanted):
        """What stands in the first such element."""
        for number, (name, attributes) in enumerate(self.elements):
            if name == tag and all(attributes.get(key.rstrip("_")) == value for key, value in wanted.items()):
                return " ".join("".join(self._texts_of[number]).split())
        raise AssertionError(f"there is no <{tag}> with {wanted}")

    def value_of(self, name):
        """What a form field holds, of whatever kind it is."""
        options, inside = [], ""
        for number, (tag, attributes) in enumerate(self.elements):
            if attributes.get("name") == name and tag == "input":
                if attributes.get("type") not in ("radio", "checkbox"):
                    return attributes.get("value", "")
                if "checked" in attributes:
                    return attributes["value"]
            if tag == "textarea" and attributes.get("name") == name:
                return "".join(self._texts_of[number])
            inside = attributes.get("name", "") if tag == "select" else inside
            if tag == "option" and inside == name and "selected" in attributes:
                options.append(attributes["value"])
        return options[0] if options else ""

    def options_of(self, name):
        """What a select or a group of radio buttons offers."""
        offered, inside = [], ""
        for tag, attributes in self.elements:
            inside = attributes.get("name", "") if tag == "select" else inside
            if (tag == "option" and inside == name) or (
                tag == "input" and attributes.get("type") == "radio" and attributes.get("name") == name
            ):
                offered.append(attributes["value"])
        return [value for value in offered if value]

    def unlabelled(self):
        """Fields that nobody can tell what they are for."""
        labelled = {attributes["for"] for attributes in self.all("label") if "for" in attributes}
        return [
            attributes
            for number, (tag, attributes) in enumerate(self.elements)
            if tag in NEED_LABELS
            and attributes.get("type") != "hidden"
            and attributes.get("id") not in labelled
            and number not in self._in_label
            and "aria-label" not in attributes
        ]

    def own_scripts(self):
        """Scripts, handlers and addresses in the page that its policy would have to stop."""
        inline = [attributes for attributes in self.all("script") if not attributes.get("src")]
        handlers = [name for _, attributes in self.elements for name in attributes if name.startswith("on")]
        addresses = [
            attributes[name]
            for _, attributes in self.elements
            for name in ("href", "src", "action")
            if (attributes.get(name) or "").strip().lower().startswith("javascript:")
        ]
        return [*inline, *handlers, *addresses]


def assert_sound(html, *, whole=True):
    """A page, or a part of one, whose markup is right; returns it read."""
    read = Page(html)
    assert read.faults == []
    assert read.own_scripts() == []
    assert len(read.ids) == len(set(read.ids)), sorted(one for one in read.ids if read.ids.count(one) > 1)
    assert read.unlabelled() == []
    if whole:
        assert len(read.all("h1")) == 1
        assert read.all("html")[0]["lang"] == "en"
        for kind in ("aria-labelledby", "aria-describedby", "for"):
            named = {one for _, attributes in read.elements for one in (attributes.get(kind) or "").split()}
            assert named <= set(read.ids), f"{kind} names {named - set(read.ids)}"
        anchors = {attributes["href"][1:] for attributes in read.all("a") if attributes.get("href", "").startswith("#")}
        assert anchors <= set(read.ids), f"links lead to {anchors - set(read.ids)}, which is not there"
    return read
