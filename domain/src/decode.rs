use serde_json::value::RawValue;

/// Why a stored event cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The log holds an event type that this program does not know: it is older than the log.
    #[error("unknown event type {event_type} of version {event_version}")]
    Unknown {
        /// As stored.
        event_type: String,
        /// As stored.
        event_version: String,
    },
    /// The payload does not fit its type and version.
    #[error("payload of {event_type} {event_version} does not fit: {source}")]
    Malformed {
        /// As stored.
        event_type: String,
        /// As stored.
        event_version: String,
        /// What serde says.
        source: serde_json::Error,
    },
}

/// How an event lies in the log: its fields flat, its type and version beside it.
pub trait EventPayload: Sized {
    /// Every event type with the version in which it is written today.
    const VERSIONS: &'static [(&'static str, &'static str)];

    /// Reads a stored event of any version that was ever written, from its payload as text.
    ///
    /// # Errors
    /// [`DecodeError`] for a type or version that is not known, or fields that do not fit.
    fn decode_text(event_type: &str, event_version: &str, payload: &str) -> Result<Self, DecodeError>;

    /// As [`Self::decode_text`].
    ///
    /// # Errors
    /// As there.
    fn decode(event_type: &str, event_version: &str, payload: &RawValue) -> Result<Self, DecodeError> {
        Self::decode_text(event_type, event_version, payload.get())
    }

    /// The fields as JSON.
    ///
    /// # Errors
    /// What serde says; none of Daybook's events can cause it.
    fn encode(&self) -> Result<String, serde_json::Error>;
}

/// Derives [`EventPayload`] and cqrs-es' `DomainEvent` for an enum of newtype variants: variant name = event type.
macro_rules! event_payload {
    ($event:ident { $($variant:ident = $version:literal),+ $(,)? }) => {
        impl cqrs_es::DomainEvent for $event {
            fn event_type(&self) -> String {
                match self { $(Self::$variant(_) => stringify!($variant)),+ }.to_owned()
            }

            fn event_version(&self) -> String {
                match self { $(Self::$variant(_) => $version),+ }.to_owned()
            }
        }

        impl $crate::EventPayload for $event {
            const VERSIONS: &'static [(&'static str, &'static str)] = &[$((stringify!($variant), $version)),+];

            fn decode_text(
                event_type: &str,
                event_version: &str,
                payload: &str,
            ) -> Result<Self, $crate::DecodeError> {
                // What is written today, as nearly all of a log is, needs no upcaster.
                let is_present = <Self as $crate::EventPayload>::VERSIONS.contains(&(event_type, event_version));
                let upcast =
                    if is_present { None } else { $crate::upcast::payload(event_type, event_version, payload)? };
                let (version, text) = upcast
                    .as_ref()
                    .map_or((event_version, payload), |(version, text)| (version.as_str(), text.as_str()));
                match (event_type, version) {
                    $((stringify!($variant), $version) => serde_json::from_str(text).map(Self::$variant),)+
                    _ => return Err($crate::DecodeError::Unknown {
                        event_type: event_type.to_owned(),
                        event_version: event_version.to_owned(),
                    }),
                }
                .map_err(|source| $crate::DecodeError::Malformed {
                    event_type: event_type.to_owned(),
                    event_version: event_version.to_owned(),
                    source,
                })
            }

            fn encode(&self) -> Result<String, serde_json::Error> {
                match self { $(Self::$variant(fields) => serde_json::to_string(fields)),+ }
            }
        }
    };
}

pub(crate) use event_payload;
