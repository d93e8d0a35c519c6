use std::fmt;

/// A field of an activity, by which a report filters or groups.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Field {
    Type,
    Actor,
    Value,
    /// A value inside `properties`.
    Property(Path),
    /// A value inside `context`.
    Context(Path),
    /// A value inside the traits of the actor.
    Trait(Path),
}

/// The keys that lead to a value inside an object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Path(Vec<String>);

impl Path {
    /// Keys between dots; `\.` is a dot and `\\` a backslash inside a key. None if a key is empty.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut keys = vec![String::new()];
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '.' => keys.push(String::new()),
                '\\' => {
                    let escaped = characters.next_if(|next| matches!(next, '.' | '\\'));
                    keys.last_mut()?.push(escaped.unwrap_or('\\'));
                }
                other => keys.last_mut()?.push(other),
            }
        }
        keys.iter().all(|key| !key.is_empty()).then_some(Self(keys))
    }
}

impl Path {
    /// The path of the first key alone.
    pub(crate) fn first(&self) -> Self {
        Self(self.0.iter().take(1).cloned().collect())
    }
}

/// The form that [`Path::parse`] reads.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, key) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            f.write_str(&key.replace('\\', "\\\\").replace('.', "\\."))?;
        }
        Ok(())
    }
}

impl Field {
    /// `type`, `actor`, `value`, `properties.KEY`, `context.KEY` or `traits.KEY`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "type" => return Some(Self::Type),
            "actor" => return Some(Self::Actor),
            "value" => return Some(Self::Value),
            _ => {}
        }
        let (object, path) = text.split_once('.')?;
        let path = Path::parse(path)?;
        match object {
            "properties" => Some(Self::Property(path)),
            "context" => Some(Self::Context(path)),
            "traits" => Some(Self::Trait(path)),
            _ => None,
        }
    }
}

/// The form that [`Field::parse`] reads; also the name of the column.
impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type => f.write_str("type"),
            Self::Actor => f.write_str("actor"),
            Self::Value => f.write_str("value"),
            Self::Property(path) => write!(f, "properties.{path}"),
            Self::Context(path) => write!(f, "context.{path}"),
            Self::Trait(path) => write!(f, "traits.{path}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_read_as_it_is_written() {
        for text in ["type", "actor", "value", "properties.plan", "context.page.url", r"traits.a\.b\\.c"] {
            assert_eq!(Field::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(
            Field::parse(r"properties.a\.b.c"),
            Some(Field::Property(Path(vec!["a.b".to_owned(), "c".to_owned()])))
        );
        for text in ["", "Type", "properties", "properties.", "properties..a", "other.a"] {
            assert_eq!(Field::parse(text), None, "{text}");
        }
    }
}
