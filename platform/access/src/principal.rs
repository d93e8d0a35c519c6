use std::fmt;

use chassis::Problem;
use chrono_tz::Tz;
use domain::token::{PublicUse, Scope, Scopes};
use domain::{CustomerId, MemberId, TokenId};
use serde::{Deserialize, Serialize};

/// Who is calling: what customers returns for a token or a session, and what the gateway forwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// The customer for whom.
    pub customer_id: CustomerId,
    /// The token or the member.
    pub subject: Subject,
    /// What the caller may do.
    pub scopes: Scopes,
    /// The zone in which the customer's days begin and end.
    pub time_zone: Tz,
    /// What the caller may do although everybody can read its token; none for everybody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<PublicUse>,
}

/// The token or the member with which a request comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A program with a token.
    Token(TokenId),
    /// A person with a session.
    Member(MemberId),
}

/// As the metadata of events names it: `token:<id>`, `member:<id>`.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(id) => write!(f, "token:{id}"),
            Self::Member(id) => write!(f, "member:{id}"),
        }
    }
}

impl Principal {
    /// Returns the caller if it has the scope.
    ///
    /// # Errors
    /// 403 `scope-missing`, which names the scope and those that the caller has.
    pub fn require(&self, scope: Scope) -> Result<&Self, Problem> {
        if self.scopes.has(scope) {
            return Ok(self);
        }
        let has: Vec<&str> = self.scopes.as_slice().iter().map(|scope| scope.name()).collect();
        let has = if has.is_empty() { "none".to_owned() } else { has.join(", ") };
        Err(Problem::forbidden("scope-missing").with_detail(format!(
            "This needs the scope {scope}; the caller has {has}. Use a token that was given the scope {scope}."
        )))
    }
}
