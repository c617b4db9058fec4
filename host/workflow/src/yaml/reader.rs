//! From the events of the parser to the tree, within bounds.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag};

use super::{Content, Entry, Mark, Node, scalar};
use crate::Problem;

/// The longest template, in bytes.
pub(crate) const MAX_BYTES: usize = 4 << 20;
/// How deep lists and tables may nest: as deep as the JSON that is made of them.
const MAX_DEPTH: usize = 100;
/// Values in all, those that aliases repeat counted each time.
pub(crate) const MAX_NODES: usize = 500_000;
/// Bytes of all texts, those that aliases repeat counted each time.
pub(crate) const MAX_TEXT: usize = 4 * MAX_BYTES;

/// Reads the one document of a text.
pub(crate) fn read(text: &str) -> Result<Node, Problem> {
    if text.len() > MAX_BYTES {
        let message = format!("{} bytes long; a template may have at most {MAX_BYTES}", text.len());
        return Err(Problem::at(Mark { line: 1, column: 1 }, message));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let parser = Parser::new_from_str(text);
    let mut reader = Reader { parser, anchors: HashMap::new(), nodes: 0, bytes: 0 };
    let node = reader.document()?;
    Ok(node.unwrap_or(Node { mark: Mark { line: 1, column: 1 }, content: Content::Null }))
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    anchors: HashMap<usize, Anchored>,
    nodes: usize,
    bytes: usize,
}

/// What an alias repeats, and what it adds to the bounds.
struct Anchored {
    node: Node,
    nodes: usize,
    bytes: usize,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Mark), Problem> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, mark(span))),
            Some(Err(error)) => {
                let at = error.marker();
                let place = Mark { line: number(at.line()), column: number(at.col() + 1) };
                Err(Problem::at(place, format!("not valid YAML: {}", error.info())))
            }
            None => Ok((Event::StreamEnd, Mark::default())),
        }
    }

    /// The first document; a second is refused.
    fn document(&mut self) -> Result<Option<Node>, Problem> {
        let mut document = None;
        loop {
            let (event, place) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(document),
                Event::DocumentStart(_) if document.is_some() => {
                    let hint = "put each template into a file of its own";
                    return Err(Problem::at(place, "a second document begins here").hint(hint));
                }
                Event::DocumentStart(_) => {
                    let (event, place) = self.next()?;
                    document = Some(self.node(event, place, 0)?);
                }
                _ => {}
            }
        }
    }

    /// The node that begins with an event.
    fn node(&mut self, event: Event<'a>, place: Mark, depth: usize) -> Result<Node, Problem> {
        if depth > MAX_DEPTH {
            return Err(Problem::at(place, format!("nested deeper than {MAX_DEPTH} levels")));
        }
        let (nodes, bytes) = (self.nodes, self.bytes);
        self.count(1, 0, place)?;
        let (anchor, content) = match event {
            Event::Alias(anchor) => return self.alias(anchor, place),
            Event::Scalar(text, style, anchor, tag) => {
                self.count(0, text.len(), place)?;
                (anchor, content_of(&text, style, tag.as_deref()).map_err(|message| Problem::at(place, message))?)
            }
            Event::SequenceStart(anchor, tag) => {
                refuse_tag(tag.as_deref(), "seq", place)?;
                (anchor, self.list(depth)?)
            }
            Event::MappingStart(anchor, tag) => {
                refuse_tag(tag.as_deref(), "map", place)?;
                (anchor, self.table(depth)?)
            }
            _ => return Err(Problem::at(place, "not valid YAML: a value is missing")),
        };
        let node = Node { mark: place, content };
        if anchor > 0 {
            let (nodes, bytes) = (self.nodes - nodes, self.bytes - bytes);
            // The copy that is kept counts, too: anchors may nest.
            self.count(nodes, bytes, place)?;
            self.anchors.insert(anchor, Anchored { node: node.clone(), nodes, bytes });
        }
        Ok(node)
    }

    fn list(&mut self, depth: usize) -> Result<Content, Problem> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Content::List(items)),
                (event, place) => items.push(self.node(event, place, depth + 1)?),
            }
        }
    }

    fn table(&mut self, depth: usize) -> Result<Content, Problem> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut merged = Vec::new();
        let mut seen: HashMap<Box<str>, Mark> = HashMap::new();
        loop {
            let (event, place) = match self.next()? {
                (Event::MappingEnd, _) => break,
                next => next,
            };
            let key = self.node(event, place, depth + 1)?;
            let (event, at) = self.next()?;
            let value = self.node(event, at, depth + 1)?;
            let name: Box<str> = match key.content {
                Content::Text(text) | Content::Number(text) => text,
                Content::Flag(flag) => flag.to_string().into(),
                Content::Null => "null".into(),
                Content::List(_) | Content::Table(_) => {
                    return Err(Problem::at(place, "a key must be text, not a list or a table"));
                }
            };
            if &*name == "<<" {
                merged.push(value);
                continue;
            }
            if let Some(first) = seen.insert(name.clone(), place) {
                let message = format!("the key stands here for the second time: `{}`", crate::shown(&name));
                return Err(Problem::at(place, message).hint(format!("the first is on line {}", first.line)));
            }
            entries.push(Entry { key: name, mark: place, value });
        }
        for node in merged {
            self.merge(&mut entries, &mut seen, node)?;
        }
        Ok(Content::Table(entries))
    }

    /// The keys of `<<`, where the table has none of its own of that name.
    fn merge(
        &mut self,
        entries: &mut Vec<Entry>,
        seen: &mut HashMap<Box<str>, Mark>,
        node: Node,
    ) -> Result<(), Problem> {
        let place = node.mark;
        match node.content {
            Content::Table(inner) => {
                for entry in inner {
                    if !seen.contains_key(&entry.key) {
                        seen.insert(entry.key.clone(), entry.mark);
                        entries.push(entry);
                    }
                }
                Ok(())
            }
            Content::List(items) => items.into_iter().try_for_each(|item| self.merge(entries, seen, item)),
            Content::Null => Ok(()),
            _ => Err(Problem::at(place, "`<<` takes a table, or a list of tables, to merge")),
        }
    }

    fn alias(&mut self, anchor: usize, place: Mark) -> Result<Node, Problem> {
        // The parser refuses names without an anchor; one that is not yet whole contains itself.
        let Some(anchored) = self.anchors.get(&anchor) else {
            return Err(Problem::at(place, "an alias of a value that contains it"));
        };
        let (nodes, bytes) = (anchored.nodes, anchored.bytes);
        self.count(nodes, bytes, place)?;
        let mut node = self.anchors.get(&anchor).map(|anchored| anchored.node.clone());
        node.take().ok_or_else(|| Problem::at(place, "an alias of a value that contains it"))
    }

    /// Counts what is added, and refuses what is too much before it is made.
    fn count(&mut self, nodes: usize, bytes: usize, place: Mark) -> Result<(), Problem> {
        self.nodes = self.nodes.saturating_add(nodes);
        self.bytes = self.bytes.saturating_add(bytes);
        if self.nodes > MAX_NODES {
            return Err(Problem::at(place, format!("more than {MAX_NODES} values, those of aliases included")));
        }
        if self.bytes > MAX_TEXT {
            return Err(Problem::at(place, format!("more than {MAX_TEXT} bytes of text, that of aliases included")));
        }
        Ok(())
    }
}

fn mark(span: Span) -> Mark {
    Mark { line: number(span.start.line()), column: number(span.start.col() + 1) }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn content_of(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Content, String> {
    match tag {
        None if style == ScalarStyle::Plain => scalar::plain(text),
        None => Ok(Content::Text(text.into())),
        Some(tag) if !tag.is_yaml_core_schema() => {
            if tag.handle.is_empty() && tag.suffix == "!" {
                Ok(Content::Text(text.into()))
            } else {
                Err(tag_refusal(tag))
            }
        }
        Some(tag) if tag.suffix == "str" => Ok(Content::Text(text.into())),
        Some(tag) => match (tag.suffix.as_str(), scalar::plain(text)?) {
            ("int" | "float", content @ Content::Number(_))
            | ("bool", content @ Content::Flag(_))
            | ("null", content @ Content::Null) => Ok(content),
            _ => Err(format!("not what its tag `!!{}` says: `{}`", tag.suffix, crate::shown(text))),
        },
    }
}

fn refuse_tag(tag: Option<&Tag>, allowed: &str, place: Mark) -> Result<(), Problem> {
    match tag {
        Some(tag) if !(tag.is_yaml_core_schema() && tag.suffix == allowed) => Err(Problem::at(place, tag_refusal(tag))),
        _ => Ok(()),
    }
}

fn tag_refusal(tag: &Tag) -> String {
    format!("a tag that a template cannot have: `{}`", crate::shown(&tag.to_string()))
}
