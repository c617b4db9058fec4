//! The six fields of a cron pattern, and what is wrong with one that cannot be read.
//!
//! The library that reads patterns says what it could not read, but not in which field, and it takes some slips for
//! meant: `1,,2`, `MON` as a minute, a step of 90 minutes. So each field is looked at here first.

use super::ScheduleError;

/// One of the fields, and what may stand in it.
pub(super) struct Field {
    name: &'static str,
    allowed: &'static str,
    least: u16,
    most: u16,
    /// The words that may stand for numbers, beside `L` and `W`.
    words: &'static [&'static str],
}

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// The fields in their order; a pattern of five leaves out the first.
pub(super) const FIELDS: [Field; 6] = [
    Field { name: "second", allowed: "0-59", least: 0, most: 59, words: &[] },
    Field { name: "minute", allowed: "0-59", least: 0, most: 59, words: &[] },
    Field { name: "hour", allowed: "0-23", least: 0, most: 23, words: &[] },
    Field {
        name: "day of month",
        allowed: "1-31, L (the last), LW (the last from Monday to Friday), 15W (the nearest to the 15th of those)",
        least: 1,
        most: 31,
        words: &["L", "LW", "W"],
    },
    Field { name: "month", allowed: "1-12 or JAN-DEC", least: 1, most: 12, words: &MONTHS },
    Field {
        name: "day of week",
        allowed: "0-7 or SUN-SAT (0 and 7 are Sunday), MON#2 (the second), FRI#L (the last)",
        least: 0,
        most: 7,
        words: &WEEKDAYS,
    },
];

impl Field {
    /// Refuses the first part of the field's list that cannot be meant, or that `readable` does not know.
    pub(super) fn check(&self, text: &str, readable: impl Fn(&str) -> bool) -> Result<(), ScheduleError> {
        // A `+` before the days of the week asks for both days to fit; it belongs to no part.
        let list = if self.is_weekday() { text.strip_prefix('+').unwrap_or(text) } else { text };
        let parts: Vec<&str> = list.split(',').collect();
        let wrong = |part: &&&str| !self.may_be_meant(part) || !self.goes_with(part, &parts) || !readable(part);
        match parts.iter().find(wrong) {
            Some(part) => Err(self.refuse(part, text)),
            None => Ok(()),
        }
    }

    fn is_weekday(&self) -> bool {
        self.words == WEEKDAYS
    }

    fn may_be_meant(&self, part: &str) -> bool {
        let upper = part.to_uppercase();
        let known = |word: &str| {
            let day = word.strip_suffix('L').unwrap_or(word);
            self.words.contains(&word) || (self.is_weekday() && (day.is_empty() || self.words.contains(&day)))
        };
        let words_are_known = words(&upper).all(known);
        let step_fits = step(part).is_none_or(|step| step <= self.most - self.least);
        // `L` alone says which of a weekday, but not which weekday.
        !part.is_empty() && words_are_known && step_fits && !(self.is_weekday() && upper == "L")
    }

    /// Whether a part may stand in this list: what takes all goes with nothing else, and `L` not with `LW`.
    fn goes_with(&self, part: &str, list: &[&str]) -> bool {
        let last = |word: &str| list.iter().any(|part| part.eq_ignore_ascii_case(word));
        list.len() == 1 || !(part.starts_with(['*', '?']) && !part.contains('/') || last("L") && last("LW"))
    }

    fn refuse(&self, part: &str, text: &str) -> ScheduleError {
        let rule =
            format!("{} takes `*`, {}; also lists (1,2), ranges (1-5) and steps (*/2, 1-5/2)", self.name, self.allowed);
        let value = if part.is_empty() { text } else { part }.to_owned();
        ScheduleError::Text { field: "cron", rule, fix: self.fix(&part.to_uppercase()), value }
    }

    /// What the writer of a refused part may have meant.
    fn fix(&self, part: &str) -> Option<String> {
        let Self { least, most, .. } = *self;
        if part.is_empty() {
            return Some("take out the comma that nothing stands beside".to_owned());
        }
        if let Some(number) = part.parse::<u64>().ok().filter(|number| *number > u64::from(most)) {
            // 24 and 60 are the 0 of what follows.
            let carries = least == 0 && !self.is_weekday() && number == u64::from(most) + 1;
            let nearest = if carries { 0 } else { most };
            return Some(format!("the nearest is {nearest}"));
        }
        if part.parse() == Ok(0_u64) {
            return Some(format!("the nearest is {least}"));
        }
        if step(part).is_some_and(|step| step > most - least) {
            return Some(format!("a step is at most {}; for a fixed length of time write `every`", most - least));
        }
        if let Some((from, step)) = part.split_once('/').filter(|(from, _)| !from.contains(['-', '*'])) {
            let from = if from.is_empty() { "*".to_owned() } else { format!("{from}-{most}") };
            return Some(format!("write {from}/{step}"));
        }
        if let Some((from, to)) = part.split_once('-')
            && let (Some(from), Some(to)) = (self.number(from), self.number(to))
        {
            return Some(self.range(from, to));
        }
        if self.is_weekday() && part == "L" {
            return Some("say the last of which, such as FRI#L".to_owned());
        }
        if part == "*" || part == "?" {
            return Some(format!("{part} takes all, and stands alone"));
        }
        if part == "L" || part == "LW" {
            return Some("write L or LW, not both".to_owned());
        }
        let wrong = words(part).find(|word| !self.words.contains(word))?;
        if let Some(field) = FIELDS.iter().find(|field| field.words.contains(&wrong)) {
            return Some(format!("{wrong} belongs to the {}", field.name));
        }
        let like =
            |word: &&&str| word.len() == 3 && (wrong.starts_with(**word) || strsim::levenshtein(wrong, word) == 1);
        self.words.iter().find(like).map(|word| format!("did you mean {word}?"))
    }

    /// A range that can be read: within the field's bounds, and in two where it went past the end.
    fn range(&self, from: u16, to: u16) -> String {
        let Self { least, most, .. } = *self;
        let written = |from, to| if from == to { format!("{from}") } else { format!("{from}-{to}") };
        let (from, to) = (from.clamp(least, most), to.clamp(least, most));
        if from <= to {
            return format!("the nearest is {}", written(from, to));
        }
        // Seven is Sunday again.
        let most = if self.is_weekday() { most - 1 } else { most };
        format!("a range goes upwards; write {},{}", written(from, most), written(least, to))
    }

    /// The number that a number or a word stands for.
    fn number(&self, text: &str) -> Option<u16> {
        let place = self.words.iter().position(|word| *word == text).and_then(|place| u16::try_from(place).ok());
        place.map(|place| place + self.least).or_else(|| text.parse().ok())
    }
}

fn words(part: &str) -> impl Iterator<Item = &str> {
    part.split(|letter: char| !letter.is_alphabetic()).filter(|word| !word.is_empty())
}

fn step(part: &str) -> Option<u16> {
    let (_, step) = part.split_once('/')?;
    step.bytes().all(|digit| digit.is_ascii_digit()).then(|| step.parse().unwrap_or(u16::MAX))
}
