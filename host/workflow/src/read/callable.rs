//! From Tasker's callable to a kind.

use std::collections::BTreeMap;

use bulkhead_core::Kind;

use crate::Served;

/// The kind for a callable: as the map says; else as it stands, if a handler has that kind; else its last part in snake
/// case, if a handler has that; where none is known, as it stands if it has but one part.
pub(super) fn kind_of(
    callable: &str,
    map: &BTreeMap<String, Kind>,
    served: Option<&[Served]>,
) -> Result<Kind, bulkhead_core::TextError> {
    if let Some(kind) = map.get(callable) {
        return Ok(kind.clone());
    }
    let last = callable.rsplit(['.', ':']).next().unwrap_or(callable);
    let exact = Kind::parse(callable);
    let short = Kind::parse(snake_case(last));
    let known = |kind: &Kind| served.is_some_and(|served| served.iter().any(|handler| handler.kind == *kind));
    match (exact, short) {
        (Ok(exact), _) if known(&exact) => Ok(exact),
        (_, Ok(short)) if known(&short) => Ok(short),
        (Ok(exact), _) if last == callable => Ok(exact),
        (_, Ok(short)) => Ok(short),
        (Ok(exact), Err(_)) => Ok(exact),
        (Err(error), Err(_)) => Err(error),
    }
}

/// `OrderProcessingHandler` is `order_processing_handler`, `HTTPServer` is `http_server`.
fn snake_case(name: &str) -> String {
    let characters: Vec<char> = name.chars().collect();
    let mut snake = String::with_capacity(name.len() + 4);
    for (at, character) in characters.iter().enumerate() {
        if character.is_uppercase() {
            let after_lower = at > 0 && (characters[at - 1].is_lowercase() || characters[at - 1].is_ascii_digit());
            let before_lower = at > 0
                && characters[at - 1].is_uppercase()
                && characters.get(at + 1).is_some_and(|next| next.is_lowercase());
            if after_lower || before_lower {
                snake.push('_');
            }
            snake.extend(character.to_lowercase());
        } else {
            snake.push(*character);
        }
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;
    use bulkhead_core::TagSet;

    #[test]
    fn names_become_snake_case() {
        for (name, snake) in [
            ("OrderProcessingHandler", "order_processing_handler"),
            ("HTTPServer", "http_server"),
            ("CsvV2Reader", "csv_v2_reader"),
            ("validate_cart", "validate_cart"),
            ("A", "a"),
        ] {
            assert_eq!(snake_case(name), snake);
        }
    }

    #[test]
    fn the_map_goes_before_handlers_and_handlers_before_guesses() {
        let handler = |kind: &str| Served { kind: Kind::parse(kind).unwrap(), provides: TagSet::default() };
        let map = BTreeMap::from([("a.B".to_owned(), Kind::parse("MAPPED").unwrap())]);
        let served = [handler("x.Exact"), handler("simple_one"), handler("step_handler")];
        let kind = |callable: &str| kind_of(callable, &map, Some(&served)).unwrap().to_string();
        assert_eq!(kind("a.B"), "MAPPED");
        assert_eq!(kind("x.Exact"), "x.Exact");
        assert_eq!(kind("SimpleOne"), "simple_one");
        assert_eq!(kind("tasker::rust::StepHandler"), "step_handler");
        assert_eq!(kind("Unknown"), "Unknown");
        assert_eq!(kind("some.Unknown"), "unknown");
        let kind = |callable: &str| kind_of(callable, &map, None).map(|kind| kind.to_string());
        assert_eq!(kind("validate_cart").unwrap(), "validate_cart");
        assert_eq!(kind("handlers.ecommerce.ValidateCartHandler").unwrap(), "validate_cart_handler");
        assert!(kind("a b").is_err());
    }
}
