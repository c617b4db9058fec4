//! How often an `input_schema` looks at one value.
//!
//! A definition that refers twice to another, that to a third twice and so on, is looked at more often than any input would
//! last. What a definition costs is counted once, and added wherever it is referred to.

use std::collections::HashMap;

use serde_json::{Map, Value};

/// The most looks at a value and what is on one path below it.
const MAX_LOOKS: u64 = 100_000;
/// The longest chain of references and parts; each is a call on the stack, here as well as where the schema is compiled.
const MAX_CHAIN: usize = 500;
/// Keywords whose schemas look at the same value, each with it.
const SAME: [&str; 11] =
    ["allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "dependencies", "extends", "disallow"];
/// Keywords whose schemas look at parts of the value, of which each part may meet every one.
const PARTS: [&str; 8] = [
    "patternProperties",
    "additionalProperties",
    "propertyNames",
    "unevaluatedProperties",
    "additionalItems",
    "contains",
    "unevaluatedItems",
    "contentSchema",
];
/// Keywords whose schemas look at parts of the value, each at another.
const PLACES: [&str; 3] = ["properties", "prefixItems", "items"];

/// How often the schema looks at one value; an error says why that is too often. References that lead nowhere count as one
/// look: whoever compiles the schema refuses them.
pub(crate) fn expansions(schema: &Value) -> Result<u64, String> {
    let mut names = HashMap::new();
    name(schema, &mut names);
    let mut count = Count { root: schema, names, known: HashMap::new() };
    let looks = count.looks(schema, schema, 0)?;
    if looks > MAX_LOOKS {
        return Err(format!("its references make more than {MAX_LOOKS} schemas of it"));
    }
    Ok(looks)
}

struct Count<'a> {
    root: &'a Value,
    /// Schemas by `$id`, and by `#` and their anchor.
    names: HashMap<String, &'a Value>,
    /// What a schema costs, by its address; nothing while it is being counted.
    known: HashMap<*const Value, Option<u64>>,
}

impl<'a> Count<'a> {
    /// The looks of a schema that stands in this resource, the nearest schema around it with an `$id`.
    fn looks(&mut self, schema: &'a Value, resource: &'a Value, depth: usize) -> Result<u64, String> {
        let Value::Object(keywords) = schema else { return Ok(1) };
        if depth > MAX_CHAIN {
            return Err(format!("a chain of more than {MAX_CHAIN} schemas, each in the one before"));
        }
        let resource = if keywords.get("$id").is_some_and(Value::is_string) { schema } else { resource };
        match self.known.get(&std::ptr::from_ref(schema)) {
            Some(Some(looks)) => return Ok(*looks),
            // It refers to itself: that ends with the input, or at once.
            Some(None) => return Ok(1),
            None => drop(self.known.insert(std::ptr::from_ref(schema), None)),
        }
        let mut looks = 1_u64;
        for keyword in ["$ref", "$dynamicRef", "$recursiveRef"] {
            let target = keywords.get(keyword).and_then(Value::as_str);
            if let Some((target, resource)) = target.and_then(|target| self.target(target, resource)) {
                looks = looks.saturating_add(self.looks(target, resource, depth + 1)?);
            }
        }
        for inner in SAME.iter().chain(&PARTS).flat_map(|keyword| inner(keywords, keyword)) {
            looks = looks.saturating_add(self.looks(inner, resource, depth + 1)?);
        }
        let mut place = 0;
        for inner in PLACES.iter().flat_map(|keyword| inner(keywords, keyword)) {
            place = place.max(self.looks(inner, resource, depth + 1)?);
        }
        looks = looks.saturating_add(place);
        self.known.insert(std::ptr::from_ref(schema), Some(looks));
        Ok(looks)
    }

    /// What a reference means, and the resource around it.
    fn target(&self, reference: &str, resource: &'a Value) -> Option<(&'a Value, &'a Value)> {
        let (base, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let resource = match base {
            "" => resource,
            base => {
                self.names.iter().find(|(id, _)| id.trim_end_matches('#').ends_with(base)).map(|(_, found)| *found)?
            }
        };
        let decoded = decoded(fragment);
        if decoded.is_empty() || decoded.starts_with('/') {
            let found = resource.pointer(&decoded).or_else(|| self.root.pointer(&decoded))?;
            return Some((found, resource));
        }
        self.names.get(&format!("#{decoded}")).map(|found| (*found, resource))
    }
}

/// The schemas under a keyword: itself, those of a list, or those of a table of names.
fn inner<'a>(keywords: &'a Map<String, Value>, keyword: &str) -> Vec<&'a Value> {
    let is_table = matches!(keyword, "properties" | "patternProperties" | "dependentSchemas" | "dependencies");
    match keywords.get(keyword) {
        Some(Value::Array(list)) => list.iter().collect(),
        Some(Value::Object(table)) if is_table => table.values().collect(),
        Some(inner) => vec![inner],
        None => Vec::new(),
    }
}

/// Notes every schema that has a name of its own.
fn name<'a>(value: &'a Value, names: &mut HashMap<String, &'a Value>) {
    match value {
        Value::Object(table) => {
            for (keyword, sign) in [("$id", ""), ("id", ""), ("$anchor", "#"), ("$dynamicAnchor", "#")] {
                if let Some(text) = table.get(keyword).and_then(Value::as_str) {
                    names.insert(format!("{sign}{text}"), value);
                }
            }
            table.values().for_each(|inner| name(inner, names));
        }
        Value::Array(list) => list.iter().for_each(|inner| name(inner, names)),
        _ => {}
    }
}

/// A fragment with its `%25` and the like as the letters that they mean.
fn decoded(fragment: &str) -> String {
    let mut bytes = Vec::with_capacity(fragment.len());
    let mut rest = fragment.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = after.get(..2).filter(|_| *first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        if let Some(byte) = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            bytes.push(byte);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
