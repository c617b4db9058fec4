"""Writes jinja2_cases.json: templates, and what Python's jinja2 makes of them.

Run by hand where cases are added: `pip install jinja2`, then `python3 jinja2_cases.py`.
The tests read the file alone, and need no Python.
"""

import json
import pathlib

import jinja2

PEOPLE = [
    {"name": "Ada", "age": 36, "role": "engineer", "active": True},
    {"name": "Grace", "age": 85, "role": "admiral", "active": False},
    {"name": "alan", "age": 41, "role": "engineer", "active": True},
]
CONTEXT = {
    "name": "Ada", "n": 7, "f": 2.5, "zero": 0, "yes": True, "no": False, "nothing": None, "empty": [],
    "words": ["one", "two", "three"], "numbers": [3, 1, 2, 3], "people": PEOPLE,
    "d": {"b": 2, "a": 1, "c": {"x": [1, "two", None, True]}}, "text": "The quick brown fox jumps over the lazy dog.",
    "html": "<a href=\"x\">it's & more/</a>", "long": "a-b " * 10, "u": "Grüße, Welt", "lines": "one\ntwo\n\nthree",
}

CASES = """
{{ name }} {{ n }} {{ f }} {{ yes }} {{ no }} {{ nothing }} {{ missing }}
{{ words }} {{ d }} {{ empty }} {{ [] }} {{ {} }} {{ (1, 2) }} {{ (1,) }}
{{ 1 / 2 }} {{ 7 // 2 }} {{ 7 % 3 }} {{ 2 ** 10 }} {{ 1.0 }} {{ 10 / 5 }} {{ 1e3 }} {{ 3 * 1.5 }} {{ -n }}
{{ -7 // 2 }} {{ -7 % 3 }}
{{ 1.5e300 * 10 }}
{{ 0.1 + 0.2 }} {{ 100000000000000000000 }} {{ 2 ** 70 }}
{{ "a" ~ 1 ~ none ~ true }} {{ "ab" * 3 }} {{ [1] + [2] }} {{ "a" + "b" }}
{{ 1 < 2 < 3 }} {{ 1 == 1.0 }} {{ "a" < "b" }} {{ not yes }} {{ yes and n }} {{ no or "x" }} {{ nothing or zero }}
{{ "one" in words }} {{ "z" not in words }} {{ "q" in text }} {{ "a" in d }}
{{ "yes" if n > 5 else "no" }} {{ "only" if no }}
{{ words[0] }} {{ words[-1] }} {{ words[1:] }} {{ name[0] }} {{ text[4:9] }} {{ words[::-1] }} {{ d["b"] }} {{ d.c.x[1] }}
{{ d.missing }} {{ d["missing"] is defined }} {{ missing is undefined }} {{ nothing is none }}
{{ missing.deeper }}
{{ n is odd }} {{ n is even }} {{ n is divisibleby 7 }} {{ words is sequence }} {{ d is mapping }} {{ name is string }}
{{ n is number }} {{ f is float }} {{ n is integer }} {{ yes is boolean }} {{ words is iterable }} {{ name is lower }} {{ 3 is sameas 3 }}
{{ 5 is gt 3 }} {{ 5 is in [5, 6] }} {{ 5 is eq 5 }} {{ "upper" is filter }} {{ "odd" is test }} {{ yes is true }} {{ no is false }}
{{ name|upper }} {{ name|lower }} {{ "hello world"|title }} {{ "hello WORLD"|capitalize }} {{ u|upper }}
{{ "it's o'neil-smith mc_donald"|title }}
{{ text|replace("quick", "slow") }} {{ "aaa"|replace("a", "b", 2) }}
{{ words|join(", ") }} {{ people|join(", ", attribute="name") }} {{ [1, none, "x"]|join("-") }}
{{ words|length }} {{ text|length }} {{ d|length }} {{ u|count }}
{{ words|first }} {{ words|last }} {{ empty|first }} {{ numbers|min }} {{ numbers|max }} {{ numbers|sum }}
{{ people|sum(attribute="age") }} {{ people|map(attribute="name")|list }} {{ words|map("upper")|join }}
{{ people|map(attribute="missing", default="?")|join }}
{{ numbers|sort }} {{ numbers|sort(reverse=true) }} {{ numbers|unique|list }} {{ words|reverse|list }} {{ "abc"|reverse }}
{{ people|sort(attribute="age")|map(attribute="name")|join(" ") }}
{{ people|sort(attribute="name")|map(attribute="name")|join(" ") }}
{{ people|sort(attribute="role,age")|map(attribute="name")|join(" ") }}
{{ ["b", "A", "a", "B"]|sort|join }} {{ ["b", "A", "a", "B"]|sort(case_sensitive=true)|join }}
{{ people|selectattr("active")|map(attribute="name")|list }} {{ people|rejectattr("active")|map(attribute="name")|list }}
{{ people|selectattr("age", "gt", 40)|map(attribute="name")|list }} {{ numbers|select("odd")|list }} {{ numbers|reject("odd")|list }}
{{ numbers|select("greaterthan", 1)|list }} {{ people|selectattr("role", "equalto", "engineer")|list|length }}
{% for role, members in people|groupby("role") %}{{ role }}: {{ members|map(attribute="name")|join(",") }};{% endfor %}
{% for g in people|groupby("role") %}{{ g.grouper }}={{ g.list|length }};{% endfor %}
{{ d|dictsort }} {{ d|items|list }} {{ {"x": 2, "y": 1}|dictsort(by="value") }}
{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}{{ d.keys()|list }} {{ d.values()|list|length }}
{{ d.get("a") }} {{ d.get("z", "none") }} {{ name.upper() }} {{ text.split(" ")|length }} {{ " x ".strip() }} {{ ",".join(words) }}
{{ name.startswith("A") }} {{ text.replace("The", "A") }} {{ "a,b".split(",") }} {{ "x".isdigit() }} {{ "Ab".swapcase() if false else "" }}
{{ "{} and {}".format("a", 1) }} {{ "%s is %d"|format("n", 3) }} {{ "%.2f"|format(3.14159) }} {{ "%05d" % 42 if false else "" }}
{{ missing|default("d") }} {{ ""|default("e") }} {{ ""|default("e", true) }} {{ nothing|d("n") }} {{ nothing|d("n", true) }}
{{ 3.14159|round(2) }} {{ 2.5|round }} {{ 3.5|round }} {{ 2.7|round(method="floor") }} {{ 2.1|round(0, "ceil") }} {{ 42|round }}
{{ -5|abs }} {{ "42"|int }} {{ "x"|int(7) }} {{ "3.7"|float }} {{ 3.9|int }} {{ "x"|float }} {{ 42|string ~ "!" }}
{{ "x"|int }} {{ none|int }} {{ "12.9"|int }} {{ "7"|int(default=3) }} {{ words|first|default("x")|float(2.5) }}
{{ "0x1F"|int(0, 16) }} {{ "11"|int(base=2) }}
{{ [1, 2, 3, 4, 5]|batch(2)|list }} {{ [1, 2, 3, 4, 5]|batch(2, 0)|list }} {{ [1, 2, 3, 4, 5]|slice(2)|list }}
{{ "  x "|trim }}| {{ "xxhixx"|trim("x") }}
{{ lines|indent }}|{{ lines|indent(2, true) }}|{{ lines|indent(2, first=true, blank=true) }}|{{ lines|indent("> ") }}
{{ words|list }} {{ "abc"|list }} {{ d|list }}
{{ {"b": [1, "x", none, true], "a": "</script>'&"}|tojson }}
{{ {"b": [1, 2], "a": {}}|tojson(indent=2) }}
{{ u|tojson }} {{ 1.0|tojson }} {{ [1.5, 100000000000000000000.0]|tojson }}
{{ "a b/c?d=é&f"|urlencode }} {{ {"q": "a b", "r": 1}|urlencode }}
{{ html|e }} {{ html|escape }} {{ html|forceescape }} {{ html|safe }} {{ html|safe|e }}
{{ "<p>one <b>two</b>&amp; three</p>"|striptags }}
{{ text|truncate(20) }}|{{ text|truncate(20, true) }}|{{ text|truncate(20, true, "…", 0) }}|{{ text|truncate(length=12, end="") }}|{{ name|truncate(2) }}
{{ text|wordwrap(16) }}
{{ "a verylongwordindeed b"|wordwrap(8) }}
{{ "a verylongwordindeed b"|wordwrap(8, false) }}
{{ text|wordcount }} {{ "x"|center(7) }}| {{ "xy"|center(7) }}| {{ "xyz"|center(8) }}|
{{ 1|filesizeformat }} {{ 13000|filesizeformat }} {{ 4194304|filesizeformat(true) }} {{ 999|filesizeformat }}
{{ {"class": "a b", "id": none, "x": 1}|xmlattr }} <i{{ {"a": "<"}|xmlattr }}>
{{ d|pprint }}
{{ people[0]|attr("name") }}
{{ "abc"|attr("missing") is undefined }}
{{ range(5)|list }} {{ range(1, 4)|list }} {{ range(10, 0, -3)|list }} {{ dict(a=1, b="x") }}
{% for w in words %}{{ loop.index }}/{{ loop.length }} {{ w }}{{ ", " if not loop.last }}{% else %}none{% endfor %}
{% for w in words %}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.previtem }}{{ loop.nextitem }}{{ loop.depth }}|{% endfor %}
{% for w in empty %}x{% else %}empty{% endfor %} {% for p in people if p.active %}{{ loop.index }}{{ p.name }} {% endfor %}
{% for a in [1, 2] %}{% for b in [3, 4] %}{{ loop.index }}{{ a }}{{ b }} {% endfor %}{% endfor %}
{% for a in [1, 2, 3, 4] %}{{ loop.cycle("odd", "even") }} {% endfor %}{% for a in [1, 1, 2] %}{{ loop.changed(a) }} {% endfor %}
{% for a, b in [[1, 2], [3, 4]] %}{{ a + b }} {% endfor %}{% for (k, v) in d|dictsort %}{{ k }} {% endfor %}
{% for node in [{"v": 1, "c": [{"v": 2, "c": []}]}] recursive %}{{ node.v }}({{ loop(node.c) }}){% endfor %}
{% for i in range(10) %}{% if i == 2 %}{% continue %}{% endif %}{% if i == 5 %}{% break %}{% endif %}{{ i }}{% endfor %}
{% if n > 10 %}big{% elif n > 5 %}middle{% else %}small{% endif %}
{% set x = 5 %}{{ x }}{% set a, b = 1, 2 %}{{ a }}{{ b }}{% set block %}<{{ name }}>{% endset %}{{ block }}{% set up | upper %}abc{% endset %}{{ up }}
{% set x = 1 %}{% for i in [1, 2] %}{% set x = x + i %}{{ x }}{% endfor %}{{ x }}
{% set ns = namespace(total=0) %}{% for i in numbers %}{% set ns.total = ns.total + i %}{% endfor %}{{ ns.total }}
{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}{{ a }}
{% macro greet(who, greeting="Hello", mark="!") %}{{ greeting }}, {{ who }}{{ mark }}{% endmacro %}{{ greet("Ada") }} {{ greet("Bob", mark="?") }} {{ greet("C", "Hi") }}
{% macro list(items) %}{% for i in items %}[{{ caller(i) }}]{% endfor %}{% endmacro %}{% call(i) list([1, 2]) %}<{{ i }}>{% endcall %}
{% macro m() %}{{ varargs|join("-") if false else "" }}{{ m.name if false else "" }}x{% endmacro %}{{ m() }}
{% filter upper %}hello {{ name }}{% endfilter %}
{% raw %}{{ not rendered }} {% nor this %}{% endraw %}
{# a comment #}a{#- trimmed -#} b
a  {%- if yes %}  b  {%- endif %}  c {{- name -}}  d
{% set c = cycler("a", "b") %}{{ c.next() }}{{ c.next() }}{{ c.next() }}
{% set c = cycler("a", "b") %}{{ c.next() }}{{ c.current }}
{% set j = joiner(", ") %}{% for w in words %}{{ j() }}{{ w }}{% endfor %}
{% set xs = [1] %}{% do xs.append(2) %}{{ xs|length }}
{{ "\\n" }}{{ 'single' }}{{ "tab\\tx" }}{{ "quote\\"d" }}
{{ ["a", "b"]|map("upper")|map("lower")|list }} {{ [[1, 2], [3]]|map("length")|list }} {{ [[1, 2], [3]]|sum(start=[]) }}
{{ {"a": 1, "b": 2}.items()|list }} {{ {"a": 1}|items|list }}
{{ true }} {{ True }} {{ none }} {{ None }} {{ false }}
{{ undefined_call() }}
{{ words|nosuchfilter }}
{{ 1 / 0 }}
{{ n.missing.deeper }}
{% for x in 5 %}{% endfor %}
{% if %}{% endif %}
{{ name
{% include "nowhere.txt" %}
{% include "nowhere.txt" ignore missing %}fine
{% include ["nowhere.txt", "part.txt"] %}
{% include "part.txt" %} {% set name = "Bob" %}{% include "part.txt" %} {% include "part.txt" without context if false %}
{% import "macros.txt" as m %}{{ m.twice("a") }} {{ m.answer }} {% from "macros.txt" import twice as t, thrice %}{{ t("b") }}{{ thrice("c") }}
{% extends "base.txt" %}{% block title %}Home {{ super() }}{% endblock %}{% block body %}{{ self.title() }}!{% endblock %}
{% extends "middle.txt" %}{% block body %}leaf {{ super() }}{% endblock %}
{% block alone %}a block {{ name }}{% endblock %}
""".strip("\n").split("\n")

TEMPLATES = {
    "part.txt": "part of {{ name }}\n",
    "macros.txt": "{% set answer = 42 %}{% macro twice(x) %}{{ x }}{{ x }}{% endmacro %}{% macro thrice(x) %}{{ x }}{{ twice(x) }}{% endmacro %}",
    "base.txt": "<{% block title %}Base{% endblock %}|{% block body %}nothing{% endblock %}|{% block foot %}foot{% endblock %}>",
    "middle.txt": "{% extends \"base.txt\" %}{% block title %}Middle{% endblock %}{% block body %}middle {{ super() }}{% endblock %}",
}

MULTILINE = [
    "{% for w in words %}\n  - {{ w }}\n{% endfor %}\nend\n",
    "<ul>\n  {% for w in words %}\n    <li>{{ w }}</li>\n  {% endfor %}\n</ul>\n",
    "a\n  {%+ if yes %}b{% endif +%}\nc\n\n",
    "  {# comment #}\n  {{ name }}\n{%- if no %}\nx\n{%- endif %}\ny\n",
    "{% raw %}\n  {{ x }}\n{% endraw %}\nz",
    "line\r\nother\r\n{% if yes %}\r\nyes\r\n{% endif %}\r\n",
]
ESCAPED = [
    "{{ html }} {{ html|safe }} {{ '<b>'|safe }} {{ html ~ '<' }} {{ [html] }} {{ nothing }} {{ n }}",
    "{% set block %}<i>{{ html }}</i>{% endset %}{{ block }} {% macro m(x) %}<b>{{ x }}</b>{% endmacro %}{{ m('<') }}",
    "{{ words|join('<br>') }} {{ ['<', '>']|join('&') }} {{ '<'|upper }} {{ ('<'|safe)|upper }} {{ html|length }}",
    "{{ {'a': \"'</script>\"}|tojson }} {{ html|replace('a', '<') }} {{ {'a': '<'}|xmlattr }}",
    "{% autoescape false %}{{ html }}{% endautoescape %} {{ html|striptags }} {{ '\"' }}",
]


def render(case):
    options = case.get("options", {})
    kinds = {"lenient": jinja2.Undefined, "strict": jinja2.StrictUndefined, "chainable": jinja2.ChainableUndefined}
    environment = jinja2.Environment(
        loader=jinja2.DictLoader(TEMPLATES),
        extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"],
        undefined=kinds[options.get("undefined", "lenient")],
        **{key: value for key, value in options.items() if key != "undefined"},
    )
    try:
        return {"text": environment.from_string(case["template"]).render(CONTEXT)}
    except Exception as error:  # Whatever it is, our side must fail too.
        return {"error": type(error).__name__}


def main():
    cases = [{"template": template} for template in CASES]
    for template in MULTILINE:
        for options in ({}, {"trim_blocks": True}, {"lstrip_blocks": True},
                        {"trim_blocks": True, "lstrip_blocks": True, "keep_trailing_newline": True}):
            cases.append({"template": template, "options": options} if options else {"template": template})
    cases += [{"template": template, "options": {"autoescape": True}} for template in ESCAPED]
    for undefined in ("strict", "chainable"):
        for template in ("{{ missing }}", "{{ missing.deeper }}", "{{ d.missing }}", "{{ missing is defined }}",
                         "{% if missing %}x{% endif %}", "{{ missing|default('x') }}", "{% for x in missing %}{% endfor %}",
                         "{{ missing ~ 'x' }}", "{{ 'x' if no }}"):
            cases.append({"template": template, "options": {"undefined": undefined}})
    cases = [{**case, **render(case)} for case in cases]
    document = {"jinja2": jinja2.__version__, "context": CONTEXT, "templates": TEMPLATES, "cases": cases}
    path = pathlib.Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main()
