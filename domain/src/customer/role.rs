use serde::{Deserialize, Serialize};

use crate::token::{Scope, Scopes};

/// What one of a customer's people is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything; a customer has at least one.
    Owner,
    /// Sends activities, reads, rebuilds, issues tokens; has nothing to do with people.
    Engineer,
    /// Reads reports.
    Analyst,
    /// Reads reports and history.
    Auditor,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::Owner, Self::Engineer, Self::Analyst, Self::Auditor];

    /// What the role may do in the dashboard, in scopes: what the services ask for. [`Permission`](super::Permission)
    /// tells apart what one scope covers.
    #[must_use]
    pub fn scopes(self) -> Scopes {
        match self {
            Self::Owner | Self::Engineer => Scope::ALL.to_vec(),
            Self::Analyst => vec![Scope::Read],
            Self::Auditor => vec![Scope::Read, Scope::Audit],
        }
        .into()
    }

    /// The name in requests and responses.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Engineer => "engineer",
            Self::Analyst => "analyst",
            Self::Auditor => "auditor",
        }
    }
}
