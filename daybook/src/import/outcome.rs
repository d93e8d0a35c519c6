use serde::{Deserialize, Serialize};

/// What became of the records of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Totals {
    /// Newly recorded.
    pub(crate) accepted: u64,
    /// Had been recorded before.
    pub(crate) duplicates: u64,
    /// Refused, and written to the file of rejects.
    pub(crate) rejected: u64,
}

impl Totals {
    pub(crate) fn records(&self) -> u64 {
        self.accepted + self.duplicates + self.rejected
    }
}

/// How far an import has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// The line of the last record of which all is known.
    pub(crate) line: u64,
    pub(crate) totals: Totals,
    /// How many of them an import before had dealt with.
    pub(crate) resumed: u64,
}
