//! The format as a JSON Schema, for editors.

use serde_json::{Map, Value, json};

use super::{Effect, Shape, TEMPLATE, Table};

/// The JSON Schema (2020-12) of the template format.
pub fn json_schema() -> Value {
    let mut schema = table(&TEMPLATE);
    let title = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Workflow template",
        "description": "A workflow template of Bulkhead, with the keys of Tasker's templates and additions of its own.",
    });
    if let (Value::Object(schema), Value::Object(title)) = (&mut schema, title) {
        schema.extend(title);
    }
    schema
}

fn table(table: &Table) -> Value {
    let mut properties = Map::new();
    for key in table.keys {
        let kept = key.effect == Effect::Kept;
        let mut property = if kept { json!({}) } else { shape(&key.shape) };
        if key.effect != Effect::Needed && !kept {
            property = or_null(property);
        }
        if let Value::Object(property) = &mut property {
            let about = if kept { format!("Not acted on. {}", key.about) } else { key.about.to_owned() };
            property.insert("description".to_owned(), Value::String(about));
        }
        properties.insert(key.name.to_owned(), property);
    }
    let needed: Vec<&str> = table.keys.iter().filter(|key| key.effect == Effect::Needed).map(|key| key.name).collect();
    let mut schema = json!({"type": "object", "additionalProperties": false, "properties": properties});
    if !needed.is_empty() {
        schema["required"] = json!(needed);
    }
    schema
}

fn shape(of: &Shape) -> Value {
    match of {
        Shape::Text => json!({"type": "string"}),
        Shape::Written => json!({"type": ["string", "number"]}),
        Shape::Flag => json!({"type": "boolean"}),
        Shape::Whole(least, i64::MAX) => json!({"type": "integer", "minimum": least}),
        Shape::Whole(least, most) => json!({"type": "integer", "minimum": least, "maximum": most}),
        Shape::Amount => json!({"type": "number", "minimum": 0}),
        Shape::Word(words) => json!({"enum": words}),
        Shape::List(inner) => json!({"type": "array", "items": shape(inner)}),
        Shape::Table(inner) => table(inner),
        Shape::Names(inner) => json!({"type": "object", "additionalProperties": or_null(shape(inner))}),
        Shape::AnyTable => json!({"type": "object"}),
        Shape::Schema => json!({"type": ["object", "boolean"]}),
        Shape::Any => json!({}),
        Shape::Either(shapes) => json!({"anyOf": shapes.iter().map(shape).collect::<Vec<_>>()}),
    }
}

/// The same, or nothing: an empty value is as good as none.
fn or_null(schema: Value) -> Value {
    match schema {
        Value::Object(ref keys) if keys.is_empty() => schema,
        schema => json!({"anyOf": [schema, {"type": "null"}]}),
    }
}
