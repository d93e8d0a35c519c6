use std::collections::BTreeMap;

use super::json::Json;

/// What one event says about actors.
#[derive(Clone, Debug)]
pub(in crate::tests) enum Change {
    Merged { alias: String, actor: String },
    Reverted { alias: String },
    Described { actor: String, traits: Json },
}

/// Which names mean one actor, and what is known of each.
#[derive(Clone, Debug, Default)]
pub(in crate::tests) struct Identities {
    /// The actor that each alias was merged into, and where.
    merged: BTreeMap<String, (String, i64)>,
    /// The last description of each name, and where.
    described: BTreeMap<String, (Json, i64)>,
}

impl Identities {
    pub(in crate::tests) fn of<'c>(changes: impl Iterator<Item = &'c (i64, Change)>) -> Self {
        let mut identities = Self::default();
        for (position, change) in changes.cloned() {
            match change {
                Change::Merged { alias, actor } => {
                    identities.merged.insert(alias, (actor, position));
                }
                Change::Reverted { alias } => {
                    identities.merged.remove(&alias);
                }
                Change::Described { actor, traits } => {
                    identities.described.insert(actor, (traits, position));
                }
            }
        }
        identities
    }

    /// The name of the actor whom a name means.
    pub(in crate::tests) fn actor(&self, name: &str) -> String {
        let mut name = name;
        while let Some((above, _)) = self.merged.get(name) {
            name = above;
        }
        name.to_owned()
    }

    /// Every name that means an actor, its own first.
    pub(in crate::tests) fn names(&self, actor: &str) -> Vec<String> {
        let aliases = self.merged.keys().filter(|alias| self.actor(alias) == actor);
        std::iter::once(actor.to_owned()).chain(aliases.cloned()).collect()
    }

    /// All traits of an actor: of several names that have one, the actor's own counts, and then that of the last described.
    pub(in crate::tests) fn traits(&self, actor: &str) -> Json {
        let names = self.names(actor);
        let mut known: Vec<(bool, i64, &Json)> = names
            .iter()
            .filter_map(|name| {
                self.described.get(name).map(|(traits, position)| (name == actor, *position, traits))
            })
            .collect();
        known.sort_by_key(|(is_own, position, _)| (*is_own, *position));
        let mut all = BTreeMap::new();
        for (_, _, traits) in known {
            let Json::Object(fields) = traits else { panic!("traits are an object") };
            all.extend(fields.clone());
        }
        Json::Object(all)
    }

    /// The other names of an actor, each with the position since which it means it, the latest first.
    pub(in crate::tests) fn merged(&self, actor: &str) -> Vec<(String, i64)> {
        let since = |alias: &str| {
            let (mut name, mut latest) = (alias, 0);
            while let Some((above, position)) = self.merged.get(name) {
                latest = latest.max(*position);
                name = above;
            }
            latest
        };
        let mut merged: Vec<(String, i64)> =
            self.names(actor).into_iter().skip(1).map(|alias| (alias.clone(), since(&alias))).collect();
        merged.sort_by(|(one, first), (other, second)| second.cmp(first).then_with(|| one.cmp(other)));
        merged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(json: &str) -> Json {
        Json::parse(json).unwrap()
    }

    #[test]
    fn a_name_means_the_end_of_its_chain_and_traits_are_those_of_all_names() {
        let merged =
            |alias: &str, actor: &str| Change::Merged { alias: alias.to_owned(), actor: actor.to_owned() };
        let described =
            |actor: &str, traits: &str| Change::Described { actor: actor.to_owned(), traits: text(traits) };
        let changes = [
            (1, described("a", r#"{"n":1,"x":1}"#)),
            (2, merged("a", "b")),
            (3, merged("b", "c")),
            (4, described("b", r#"{"n":2,"y":2}"#)),
            (5, described("c", r#"{"y":3}"#)),
            (6, described("a", r#"{"n":4}"#)),
            (7, Change::Reverted { alias: "b".to_owned() }),
        ];
        let at = |position: i64| Identities::of(changes.iter().filter(|(known, _)| *known <= position));
        assert_eq!(
            (at(1).actor("a"), at(2).actor("a"), at(6).actor("a")),
            ("a".into(), "b".into(), "c".into())
        );
        assert_eq!(at(6).merged("c"), [("a".to_owned(), 3), ("b".to_owned(), 3)]);
        assert_eq!(at(5).traits("c"), text(r#"{"n":2,"x":1,"y":3}"#));
        assert_eq!(at(6).traits("c"), text(r#"{"n":4,"y":3}"#));
        assert_eq!(at(7).traits("c"), text(r#"{"y":3}"#));
        assert_eq!(at(7).names("b"), ["b", "a"]);
    }
}
