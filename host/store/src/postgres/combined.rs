//! Several statements that change rows as one, which the server answers once.

use super::client::Typed;

/// The statements as one, with all their values. Each sees what was there before, and nothing of the others; no row may be
/// changed by two of them.
pub(super) fn combined<'a>(
    mut parts: impl Iterator<Item = (&'a str, Vec<Typed<'a>>)>,
) -> Option<(String, Vec<Typed<'a>>)> {
    let (first, mut values) = parts.next()?;
    let mut texts = vec![first.to_owned()];
    for (text, more) in parts {
        texts.push(renumbered(text, values.len()));
        values.extend(more);
    }
    let last = texts.pop()?;
    let before: Vec<String> =
        (0..).zip(texts).map(|(place, text): (u32, _)| format!("part_{place} AS ({text})")).collect();
    let text = if before.is_empty() { last } else { format!("WITH {} {last}", before.join(", ")) };
    Some((text, values))
}

/// A statement whose values have other numbers, so many higher.
fn renumbered(text: &str, by: usize) -> String {
    let mut parts = text.split('?');
    let mut renumbered = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(part.len());
        let (number, rest) = part.split_at(digits);
        let number = number.parse().map_or(by, |number: usize| number + by);
        renumbered.push_str(&format!("?{number}{rest}"));
    }
    renumbered
}

#[cfg(test)]
mod tests {
    use tokio_postgres::types::Type;

    use super::*;

    #[test]
    fn several_statements_become_one_with_all_their_values() {
        let number = |number: &'static i64| -> Typed<'static> { (number, Type::INT8) };
        let parts = [
            ("INSERT INTO a (x, y) VALUES (?1, ?2)", vec![number(&1), number(&2)]),
            ("DELETE FROM b WHERE z = ANY(?1::bigint[])", vec![number(&3)]),
            ("UPDATE c SET x = ?2 WHERE y = ?1", vec![number(&4), number(&5)]),
        ];
        let (text, values) = combined(parts.clone().into_iter()).unwrap();
        let expected = "WITH part_0 AS (INSERT INTO a (x, y) VALUES (?1, ?2)), \
            part_1 AS (DELETE FROM b WHERE z = ANY(?3::bigint[])) UPDATE c SET x = ?5 WHERE y = ?4";
        assert_eq!((text.as_str(), values.len()), (expected, 5));
        let (text, _) = combined(parts.into_iter().take(1)).unwrap();
        assert_eq!(text, "INSERT INTO a (x, y) VALUES (?1, ?2)");
        assert!(combined(std::iter::empty()).is_none());
    }
}
