//! What is folded, as the machinery of folds sees it: names, versions and tables. There is one read model; every report
//! is computed from it.

use crate::store;

/// Every read model of this program.
pub(crate) const ALL: &[Definition] =
    &[Definition { name: store::NAME, version: store::VERSION, tables: store::TABLES }];

/// A read model of this program.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Definition {
    /// Its name, for operators and in the tables of checkpoints.
    pub(crate) name: &'static str,
    /// Changes whenever the same events would fold to other rows; the service then rebuilds by itself.
    pub(crate) version: i32,
    /// Its tables, each partitioned by generation.
    pub(crate) tables: &'static [&'static str],
}

impl Definition {
    /// The read model of this name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|definition| definition.name == name)
    }

    /// The names of all read models.
    pub(crate) fn names() -> Vec<String> {
        ALL.iter().map(|definition| definition.name.to_owned()).collect()
    }
}

/// Names and versions of all read models, as columns.
pub(crate) fn versions() -> (Vec<String>, Vec<i32>) {
    ALL.iter().map(|definition| (definition.name.to_owned(), definition.version)).unzip()
}
