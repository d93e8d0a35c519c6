use std::path::PathBuf;

use chassis::{ConfigError, Env, Key};
use url::Url;

const TENANT: &str = "public";
const NAMESPACE: &str = "default";
const RETENTION_H: u32 = 7 * 24;

/// Where the broker is, and how to get in.
#[derive(Clone)]
pub struct PulsarConfig {
    /// `pulsar://host:port`, or `pulsar+ssl://host:port`.
    pub url: Url,
    /// `http://host:port` or `https://host:port` of its administration, which makes the topics; without it they must be
    /// there.
    pub admin_url: Option<Url>,
    /// Of the topics.
    pub tenant: String,
    /// Of the topics.
    pub namespace: String,
    /// How long the broker keeps what every subscription has acknowledged, in hours; for topics that are made here.
    pub retention_h: u32,
    /// Certificates, in PEM, of the authorities that are trusted instead of the public ones.
    pub tls_ca: Option<PathBuf>,
    /// A token to authenticate with.
    pub token: Option<String>,
}

impl std::fmt::Debug for PulsarConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PulsarConfig({}, {}/{})", self.url, self.tenant, self.namespace)
    }
}

impl PulsarConfig {
    /// The broker at a URL, with every other setting at its default.
    #[must_use]
    pub fn at(url: Url, admin_url: Option<Url>) -> Self {
        Self {
            url,
            admin_url,
            tenant: TENANT.to_owned(),
            namespace: NAMESPACE.to_owned(),
            retention_h: RETENTION_H,
            tls_ca: None,
            token: None,
        }
    }

    /// The configuration from `DAYBOOK_PULSAR_…` keys; `None` if `DAYBOOK_PULSAR_URL` is not set.
    ///
    /// # Errors
    /// [`ConfigError`], which names the key.
    pub fn from_env(env: &Env) -> Result<Option<Self>, ConfigError> {
        let key = env.key(
            "DAYBOOK_PULSAR_URL",
            "A Pulsar broker that carries the logs between the services: pulsar://host:port or pulsar+ssl://host:port.",
        );
        let Some(url) = key.optional("the logs themselves carry the events", "pulsar://127.0.0.1:6650")
        else {
            return Ok(None);
        };
        let url = address(key, url, &["pulsar", "pulsar+ssl"])?;
        let admin = env.key(
            "DAYBOOK_PULSAR_ADMIN_URL",
            "The broker's administration, which makes the topics: http://host:port or https://host:port.",
        );
        let admin_url = admin.optional("the topics must be there", "http://127.0.0.1:8080");
        let admin_url = admin_url.map(|url| address(admin, url, &["http", "https"])).transpose()?;
        let default = Self::at(url, admin_url);
        let retention = "How long the broker keeps what every subscription has acknowledged, in hours; for topics that are \
                         made by Daybook.";
        let ca = "Certificates, in PEM, of the authorities that are trusted.";
        Ok(Some(Self {
            tenant: name(
                env.key("DAYBOOK_PULSAR_TENANT", "The tenant of the topics."),
                default.tenant.clone(),
            )?,
            namespace: name(
                env.key("DAYBOOK_PULSAR_NAMESPACE", "The namespace of the topics."),
                default.namespace.clone(),
            )?,
            retention_h: env.key("DAYBOOK_PULSAR_RETENTION_H", retention).or(default.retention_h)?,
            tls_ca: env
                .key("DAYBOOK_PULSAR_TLS_CA", ca)
                .optional("the public ones", "/etc/ssl/certs/broker.pem")
                .map(PathBuf::from),
            token: env
                .key("DAYBOOK_PULSAR_TOKEN", "A token to authenticate with at the broker.")
                .optional("no authentication", "eyJhbGciOi…")
                .map(str::to_owned),
            ..default
        }))
    }
}

fn address(key: Key<'_>, value: &str, schemes: &[&str]) -> Result<Url, ConfigError> {
    let url: Url = value.parse().map_err(|error: url::ParseError| key.invalid(value, error.to_string()))?;
    if schemes.contains(&url.scheme()) && url.host_str().is_some() {
        return Ok(url);
    }
    Err(key.invalid(&url, format!("must begin with {}://", schemes.join(":// or "))))
}

/// Tenants and namespaces become parts of paths.
fn name(key: Key<'_>, default: String) -> Result<String, ConfigError> {
    let name = key.or(default)?;
    let is_plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'=' | b':');
    if name.bytes().all(is_plain) {
        return Ok(name);
    }
    Err(key.invalid(&name, "may hold letters, digits and - _ . = : only"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_url_there_is_no_broker() {
        assert!(PulsarConfig::from_env(&Env::default()).unwrap().is_none());
    }

    #[test]
    fn a_url_of_another_kind_is_refused() {
        let error = PulsarConfig::from_env(&Env::from_pairs([("DAYBOOK_PULSAR_URL", "http://127.0.0.1:1")]));
        let error = error.unwrap_err().to_string();
        assert!(error.contains("must begin with pulsar:// or pulsar+ssl://"), "{error}");
    }

    #[test]
    fn a_namespace_cannot_leave_its_place_in_a_path() {
        let env = Env::from_pairs([
            ("DAYBOOK_PULSAR_URL", "pulsar://127.0.0.1:1"),
            ("DAYBOOK_PULSAR_NAMESPACE", "a/../b"),
        ]);
        assert!(PulsarConfig::from_env(&env).is_err());
    }

    #[test]
    fn a_token_is_not_shown() {
        let env = Env::from_pairs([
            ("DAYBOOK_PULSAR_URL", "pulsar://127.0.0.1:1"),
            ("DAYBOOK_PULSAR_TOKEN", "secret"),
        ]);
        let config = PulsarConfig::from_env(&env).unwrap().unwrap();
        assert_eq!(config.token.as_deref(), Some("secret"));
        assert!(!format!("{config:?}").contains("secret"));
    }
}
