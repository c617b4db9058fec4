//! Capability tags: what a task requires, a handler provides, a worker has.

use serde::{Deserialize, Deserializer, Serialize};

crate::text::text_type! {
    /// One capability tag, e.g. `cpu` or `cuda12`.
    Tag, "tag", "1 to 64 of a–z 0–9 _ -, starting with a letter or digit", |text| {
        (1..=64).contains(&text.len())
            && text.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit())
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte))
    }
}

/// A set of capability tags, sorted and without repeats.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct TagSet(Box<[Tag]>);

/// Why a list of tags is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TagSetError {
    /// One of them is no tag.
    #[error(transparent)]
    Tag(#[from] crate::TextError),
    /// There are too many.
    #[error("at most {max} tags are allowed: `{count}`", max = TagSet::MAX)]
    TooMany {
        /// How many were given.
        count: usize,
    },
}

impl TagSet {
    /// The most tags that one set may hold.
    pub const MAX: usize = 32;

    /// Sorts the tags, drops repeats, and refuses more than [`TagSet::MAX`].
    pub fn try_new(tags: impl IntoIterator<Item = Tag>) -> Result<Self, TagSetError> {
        let mut tags: Vec<Tag> = tags.into_iter().collect();
        tags.sort();
        tags.dedup();
        if tags.len() > Self::MAX {
            return Err(TagSetError::TooMany { count: tags.len() });
        }
        Ok(Self(tags.into_boxed_slice()))
    }

    /// Parses tags given as text.
    pub fn parse<I>(tags: I) -> Result<Self, TagSetError>
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let tags = tags.into_iter().map(Tag::parse).collect::<Result<Vec<_>, _>>()?;
        Self::try_new(tags)
    }

    /// Whether every tag of this set is in the other (`self ⊆ other`).
    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.iter().all(|tag| other.contains(tag.as_str()))
    }

    /// Whether the tag is in the set.
    pub fn contains(&self, tag: &str) -> bool {
        self.0.binary_search_by(|own| own.as_str().cmp(tag)).is_ok()
    }

    /// The tags of this set that the other lacks.
    pub fn missing_from<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = &'a Tag> {
        self.0.iter().filter(|tag| !other.contains(tag.as_str()))
    }

    /// The tags, sorted.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Tag> {
        self.0.iter()
    }

    /// How many tags there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Display for TagSet {
    /// The tags, sorted, with one space between.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, tag) in self.0.iter().enumerate() {
            if index > 0 {
                formatter.write_str(" ")?;
            }
            formatter.write_str(tag.as_str())?;
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for TagSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let tags = <Vec<Tag> as Deserialize>::deserialize(deserializer)?;
        Self::try_new(tags).map_err(serde::de::Error::custom)
    }
}
