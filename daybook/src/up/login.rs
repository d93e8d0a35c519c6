use axum::http::{Method, StatusCode};
use chrono::{DateTime, Utc};
use rand::distr::{Alphanumeric, SampleString};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::door::{Credentials, Door};
use crate::failure::Failure;
use crate::folder::DataFolder;

const PASSWORD_CHARS: usize = 20;

/// A customer that `up` signs up by itself, so that a new user can begin at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Account {
    /// The first customer, with a password of its own.
    Owner,
    /// The demo's, with a password that everyone knows.
    Demo,
}

/// A login of an account, as it is kept in the data folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Login {
    pub(crate) email: String,
    pub(crate) password: String,
    /// With every scope; none before it is issued.
    pub(crate) token: Option<String>,
    /// What is known of the demo's month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) month: Option<MonthState>,
}

/// How far the demo's month is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MonthState {
    /// Where the month ends, which decides all of it.
    pub(crate) until: DateTime<Utc>,
    /// Whether all of it is recorded.
    pub(crate) recorded: bool,
}

impl Account {
    const fn file(self) -> &'static str {
        match self {
            Self::Owner => "login.json",
            Self::Demo => "demo.json",
        }
    }

    const fn email(self) -> &'static str {
        match self {
            Self::Owner => "owner@example.com",
            Self::Demo => "demo@example.com",
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Owner => "My company",
            Self::Demo => "Demo company",
        }
    }

    fn time_zone(self) -> &'static str {
        match self {
            Self::Owner => "UTC",
            Self::Demo => crate::demo::TIME_ZONE.name(),
        }
    }

    fn new_login(self) -> Login {
        let password = match self {
            Self::Owner => Alphanumeric.sample_string(&mut rand::rng(), PASSWORD_CHARS),
            Self::Demo => "daybook demo".to_owned(),
        };
        Login { email: self.email().to_owned(), password, token: None, month: None }
    }

    /// Keeps what is known of its login.
    pub(crate) fn keep(self, folder: &DataFolder, login: &Login) -> Result<(), Failure> {
        folder.write(self.file(), login)
    }

    /// The token that `up` keeps in a data folder, the owner's rather than the demo's.
    pub(crate) fn any_token(folder: &DataFolder) -> Result<Option<String>, Failure> {
        for account in [Self::Owner, Self::Demo] {
            let known: Option<Login> = folder.read(account.file())?;
            if let Some(token) = known.and_then(|login| login.token) {
                return Ok(Some(token));
            }
        }
        Ok(None)
    }

    /// Signs up if need be, and makes sure that the token works. Safe to be broken off anywhere: what is decided is
    /// written down before it is done. None if the address has a login that this data folder does not know.
    pub(crate) async fn ensure(self, door: &Door, folder: &DataFolder) -> Result<Option<Login>, Failure> {
        let known: Option<Login> = folder.read(self.file())?;
        let mut login = known.unwrap_or_else(|| self.new_login());
        if let Some(token) = &login.token
            && works(door, token).await?
        {
            return Ok(Some(login));
        }
        let mut session = log_in(door, &login).await?;
        if session.is_none() {
            login.month = (self == Self::Demo).then(MonthState::begin);
            self.keep(folder, &login)?;
            session = self.sign_up(door, &login).await?;
        }
        let Some(session) = session else {
            folder.remove(self.file());
            return Ok(None);
        };
        login.token = Some(issue(door, &session).await?);
        self.keep(folder, &login)?;
        Ok(Some(login))
    }

    async fn sign_up(self, door: &Door, login: &Login) -> Result<Option<Credentials>, Failure> {
        let body = json!({
            "name": self.name(), "email": login.email, "password": login.password, "time_zone": self.time_zone(),
        });
        let body = Some(body.to_string().into_bytes());
        let answer = door.send(Method::POST, "/v1/customers", &Credentials::None, body).await?;
        match (answer.status, answer.session()) {
            (StatusCode::CREATED, Some(session)) => Ok(Some(session)),
            (StatusCode::CONFLICT, _) => Ok(None),
            _ => Err(answer.unexpected("signing up the first customer")),
        }
    }
}

impl MonthState {
    fn begin() -> Self {
        Self { until: Utc::now(), recorded: false }
    }
}

async fn works(door: &Door, token: &str) -> Result<bool, Failure> {
    let credentials = Credentials::Token(token.to_owned());
    let answer = door.send(Method::GET, "/v1/tokens?limit=1", &credentials, None).await?;
    match answer.status {
        StatusCode::OK => Ok(true),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Ok(false),
        _ => Err(answer.unexpected("trying the token")),
    }
}

async fn log_in(door: &Door, login: &Login) -> Result<Option<Credentials>, Failure> {
    let body = json!({"email": login.email, "password": login.password}).to_string().into_bytes();
    let answer = door.send(Method::POST, "/v1/session", &Credentials::None, Some(body)).await?;
    match (answer.status, answer.session()) {
        (StatusCode::OK, Some(session)) => Ok(Some(session)),
        (StatusCode::UNAUTHORIZED, _) => Ok(None),
        _ => Err(answer.unexpected("logging in")),
    }
}

async fn issue(door: &Door, session: &Credentials) -> Result<String, Failure> {
    let scopes = domain::token::Scope::ALL.map(domain::token::Scope::name);
    let body = json!({"name": "daybook up", "scopes": scopes}).to_string().into_bytes();
    let answer = door.send(Method::POST, "/v1/tokens", session, Some(body)).await?;
    match (answer.status, answer.text("token")) {
        (StatusCode::CREATED, Some(token)) => Ok(token.to_owned()),
        _ => Err(answer.unexpected("issuing a token")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_password_is_long_enough_and_the_owners_is_its_own() {
        let passwords =
            [Account::Owner, Account::Owner, Account::Demo].map(|account| account.new_login().password);
        assert!(passwords.iter().all(|password| password.chars().count() >= 12), "{passwords:?}");
        assert_ne!(passwords[0], passwords[1]);
    }

    #[test]
    fn a_login_without_a_month_is_read_back() {
        let login = Account::Owner.new_login();
        let text = serde_json::to_string(&login).unwrap();
        assert!(!text.contains("month"), "{text}");
        assert_eq!(serde_json::from_str::<Login>(&text).unwrap(), login);
    }
}
