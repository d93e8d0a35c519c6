use chassis::{ConfigError, LogFormat};

use crate::failure::Failure;

/// What is logged by default.
#[derive(Clone, Copy)]
pub(crate) enum Verbosity {
    /// A service in production.
    Service,
    /// The whole system in front of a person.
    Up,
    /// An operator's command, whose result stands on standard output.
    Command,
}

impl Verbosity {
    const fn filter(self) -> &'static str {
        match self {
            Self::Service => "info,sqlx=warn",
            Self::Up => "warn,sqlx=error,daybook=info,embedded_postgres=info",
            Self::Command => "warn,sqlx=error",
        }
    }
}

/// Starts logging to standard error: `DAYBOOK_LOG` or `RUST_LOG` is the filter, `DAYBOOK_LOG_FORMAT` is `text` or `json`.
///
/// # Errors
/// [`Failure::Usage`] for another format.
pub(crate) fn start(verbosity: Verbosity) -> Result<(), Failure> {
    let set = |key| std::env::var(key).ok().filter(|value| !value.is_empty());
    let filter = set("DAYBOOK_LOG").or_else(|| set("RUST_LOG"));
    let format = match set("DAYBOOK_LOG_FORMAT") {
        None => LogFormat::Text,
        Some(value) => value.parse().map_err(|reason| {
            let key = "DAYBOOK_LOG_FORMAT".to_owned();
            Failure::from(ConfigError::Invalid { key, value, reason })
        })?,
    };
    chassis::init_telemetry(format, filter.as_deref().unwrap_or(verbosity.filter()));
    Ok(())
}
